"""Writes snapshots, which any node may do at any time: the newest of a stream stays."""

from __future__ import annotations

from collections.abc import Sequence

from psycopg.types.numeric import Int4, Int8

from ..contract import Snapshot
from ..snapshot_parts import OUTDATED_PARTS_MAX
from . import statements as sql
from .arrays import Blobs, Numbers, Texts
from .batches import part_arrays
from .connection import PostgresConnection

__all__ = ["keep_part", "keep_snapshots"]


def keep_snapshots(connection: PostgresConnection, snapshots: Sequence[Snapshot]) -> None:
    """Write snapshots, each unless its stream has a newer one, in a transaction that has begun."""
    newest = {snapshot.stream: snapshot for snapshot in sorted(snapshots, key=lambda s: s.seq)}
    ordered = [newest[stream] for stream in sorted(newest)]
    streams, seqs = Texts(s.stream for s in ordered), Numbers(s.seq for s in ordered)
    at, bodies = Texts(s.at.isoformat() for s in ordered), Blobs(s.body for s in ordered)
    written = {
        stream for (stream,) in connection.rows(sql.KEEP_FIRST_PARTS, streams, seqs, at, bodies)
    }
    kept = [snapshot for snapshot in ordered if snapshot.stream in written]
    if any(snapshot.parts for snapshot in kept):
        connection.run(sql.KEEP_OTHER_PARTS, *part_arrays(kept))
    last = Texts(s.stream for s in kept), Numbers(s.seq for s in kept)
    connection.run(sql.KEEP_ONLY_NEWEST, *last)


def keep_part(connection: PostgresConnection, snapshot: Snapshot, number: int) -> None:
    """Write one part of a snapshot, in a transaction that has begun; see the contract."""
    stream, seq, last = snapshot.stream, Int8(snapshot.seq), len(snapshot.parts)
    if number == last:
        connection.run(sql.CUT_PARTS, stream, seq, Int4(last))
    body = snapshot.parts[number - 1] if number else snapshot.body
    connection.run(sql.KEEP_PART, stream, seq, Int4(number), snapshot.at.isoformat(), body)
    connection.run(sql.FORGET_PARTS, stream, stream, stream, Int8(OUTDATED_PARTS_MAX))
