"""
Writes the snapshots of a SQLite database.

A large snapshot is written part by part, each part in a transaction of its own. The part 0 comes
last: until then the snapshot before it counts, and a process can be killed at any moment.
"""

from __future__ import annotations

import apsw

from . import schema
from .contract import Snapshot

__all__ = ["OUTDATED_PARTS_MAX", "write_part", "write_snapshot"]

# Parts of earlier snapshots that go with each part: more than come, and a few milliseconds.
OUTDATED_PARTS_MAX = 2


def write_snapshot(writer: apsw.Connection, snapshot: Snapshot) -> None:
    """Write all parts of a snapshot, in a transaction that has begun."""
    for number in range(len(snapshot.parts), -1, -1):
        write_part(writer, snapshot, number)


def write_part(writer: apsw.Connection, snapshot: Snapshot, number: int) -> None:
    """Write one part of a snapshot; see :meth:`hubbub.journal.stores.contract.Store.keep_part`."""
    stream, seq, last = snapshot.stream, snapshot.seq, len(snapshot.parts)
    if number == last:
        writer.execute(schema.SNAPSHOT_CUT, (stream, seq, last))
    body = snapshot.parts[number - 1] if number else snapshot.body
    values = stream, seq, snapshot.at.isoformat(), number, body
    writer.execute(schema.SNAPSHOT_PART, values)
    writer.execute(schema.SNAPSHOT_OUTDATED, (stream, OUTDATED_PARTS_MAX))
