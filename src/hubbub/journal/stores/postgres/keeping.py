"""Writes snapshots, which any node may do at any time: the newest of a stream stays."""

from __future__ import annotations

from collections.abc import Sequence

from ..contract import Snapshot
from . import statements as sql
from .arrays import Blobs, Numbers, Texts
from .batches import part_arrays
from .connection import PostgresConnection

__all__ = ["keep_snapshots"]


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
