"""
Copies a journal into another store, such as from SQLite to PostgreSQL.

The events come first, in the order of their commits, so readers of all events find them at the
same places; then the keys and the snapshots. The journal's id and secret come last: the clients
then continue where they were, and users stay signed in. A copy that was interrupted continues
behind the last event that the target has.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from hashlib import blake2b
from typing import Protocol

import msgspec

from ..errors import Conflict
from .stores.contract import Batch, Record, Snapshot, Store
from .stream_check import head_of

__all__ = ["COPIED_EVENTS_MAX", "CopyReport", "CopyTarget", "copy_journal"]

# Events, keys or seqs that are copied in one transaction.
COPIED_EVENTS_MAX = 5_000
# Snapshots in one transaction, which are large.
COPIED_SNAPSHOTS_MAX = 20


class CopyTarget(Store, Protocol):
    """A store that can take over another journal's identity."""

    def adopt(self, journal_id: str, secret: str) -> None:
        """
        Be the journal of this id from now on, and sign tokens with its secret.

        Raises:
            Conflict: a node uses the store.
        """


class CopyReport(msgspec.Struct):
    """
    The result of a copy; the numbers are those of the whole target.

    Args:
        copied: the events that were not there before.
        keeps_places: False if events have other places than in the source, so readers of all
            events must begin again.
    """

    streams: int = 0
    events: int = 0
    keys: int = 0
    snapshots: int = 0
    copied: int = 0
    keeps_places: bool = True


def copy_journal(
    source: Store,
    target: CopyTarget,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> CopyReport:
    """
    Copy everything in a store, and compare what was written with what was read.

    Args:
        source: only read. No hub may write to it in the meantime.
        target: a store without events, or with a part of the same journal.
        on_progress: called with the number of events that were copied and of all events.

    Raises:
        Conflict: the target has another journal, or the source was written to in the meantime.
        StorageError: a store cannot be read or written; run it again to continue.
    """
    return _Copy(source, target, on_progress).run()


class _Copy:
    def __init__(
        self, source: Store, target: CopyTarget, on_progress: Callable[[int, int], None]
    ) -> None:
        self._source = source
        self._target = target
        self._on_progress = on_progress
        self._heads = dict(source.streams())
        self._report = CopyReport()

    def run(self) -> CopyReport:
        there = dict(self._target.streams())
        self._check_target(there)
        self._copy_events(there)
        self._copy_keys()
        self._copy_snapshots()
        for stream, head in sorted(self._heads.items()):
            self._finish_stream(stream, head)
        self._target.adopt(self._source.journal_id, self._source.secret)
        self._report.streams, self._report.events = len(self._heads), sum(self._heads.values())
        self._report.keeps_places = self._source.last_place() == self._target.last_place()
        return self._report

    def _check_target(self, there: dict[str, int]) -> None:
        for stream, head in sorted(there.items()):
            if head > self._heads.get(stream, 0):
                raise _differs(stream)
            self._compare(stream, head)

    def _copy_events(self, there: dict[str, int]) -> None:
        after, done, total = 0, 0, sum(self._heads.values())
        while page := self._source.committed(after, COPIED_EVENTS_MAX):
            after = page[-1].place
            records = [_record_of(placed.body) for placed in page]
            # Events that were committed since the copy began are left out; the end says so.
            new = [
                record
                for record in records
                if there.get(record.stream, 0) < record.seq <= self._heads.get(record.stream, 0)
            ]
            if new:
                self._target.commit(Batch(records=new))
            done += len(page)
            self._report.copied += len(new)
            self._on_progress(min(done, total), total)

    def _copy_keys(self) -> None:
        after = ("", "")
        # They are copied in their order, so the target has the first ones.
        while page := self._target.keys(after, COPIED_EVENTS_MAX):
            after = page[-1].by, page[-1].key
            self._report.keys += len(page)
        while page := self._source.keys(after, COPIED_EVENTS_MAX):
            after = page[-1].by, page[-1].key
            self._target.commit(Batch(used=page))
            self._report.keys += len(page)

    def _copy_snapshots(self) -> None:
        after = ""
        while page := self._source.snapshots(after, COPIED_SNAPSHOTS_MAX):
            after = page[-1].stream
            self._target.commit(Batch(snapshots=[one for one in page if self._is_copied(one)]))
            self._report.snapshots += len(page)

    def _is_copied(self, snapshot: Snapshot) -> bool:
        return snapshot.seq <= self._heads.get(snapshot.stream, 0)

    def _finish_stream(self, stream: str, head: int) -> None:
        refs = self._compare(stream, head)
        if self._source.records(stream, head, 1):
            raise Conflict(
                "The source was written to while it was copied; stop its servers, and run it again."
            )
        if not refs:
            return
        # An event that a later event has made void keeps its ref, and is not found by it.
        for first in range(1, head + 1, COPIED_EVENTS_MAX):
            found = self._source.about(stream, first, first + COPIED_EVENTS_MAX - 1)
            refs.difference_update(_record_of(body).seq for body in found)
        void = sorted(refs)
        for start in range(0, len(void), COPIED_EVENTS_MAX):
            seqs = void[start : start + COPIED_EVENTS_MAX]
            self._target.commit(Batch(superseded=[(stream, seq) for seq in seqs]))

    def _compare(self, stream: str, head: int) -> set[int]:
        """Compare the first events of a stream; return the seqs of those about another."""
        refs = set[int]()
        here, there = blake2b(), blake2b()
        for store, digest in ((self._source, here), (self._target, there)):
            for record in _records(store, stream, head):
                digest.update(msgspec.msgpack.encode(record))
                if store is self._source and record.ref is not None:
                    refs.add(record.seq)
        if here.digest() != there.digest():
            raise _differs(stream)
        return refs


def _records(store: Store, stream: str, head: int) -> Iterator[Record]:
    after = 0
    while page := store.records(stream, after, min(COPIED_EVENTS_MAX, head - after)):
        yield from page
        after = page[-1].seq
        if after >= head:
            break


def _record_of(body: bytes) -> Record:
    head = head_of(body)
    return Record(head.stream, head.seq, head.type, head.by, head.ref, body)


def _differs(stream: str) -> Conflict:
    return Conflict(
        f"The target has other events in the stream {stream}, so it holds another journal; copy "
        "into an empty database."
    )
