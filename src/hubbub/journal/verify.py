"""
Verifies a whole journal, and lists its faults. It writes nothing.

A journal is sound if, in each stream, seqs have no gaps, times never decrease, every event
matches its columns, and all of them fold; if every snapshot is the fold of the events up to its
seq; and if the events of every used key exist.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

import msgspec

from ..errors import StorageError
from .event import Streams
from .stores.contract import Snapshot, Store
from .stream_check import DECODING_ERRORS, StreamCheck

__all__ = ["FAULTS_MAX", "Fault", "Report", "verify"]

T = TypeVar("T", int, str, tuple[str, str])

# Faults that are listed; further ones are only counted.
FAULTS_MAX = 1_000
PAGE = 1_000


class Fault(msgspec.Struct, frozen=True):
    """A fault: where it is, and what is wrong."""

    where: str
    what: str


class Report(msgspec.Struct):
    """
    The result of a verification.

    Args:
        faults: the first ``FAULTS_MAX`` faults.
        faults_found: the number of all faults.
        skipped: an unknown kind of stream -> the number of its streams, which were not read.
    """

    streams: int = 0
    events: int = 0
    snapshots: int = 0
    keys: int = 0
    faults: list[Fault] = []
    faults_found: int = 0
    skipped: dict[str, int] = {}


def verify(
    store: Store,
    streams: Streams,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> Report:
    """
    Verify everything in a store.

    Args:
        store: nothing writes to it in the meantime, unless it is shared.
        streams: the known kinds of stream; streams of other kinds, which a removed feature has
            left, are skipped.
        on_progress: called from time to time with the events read, and with all events.

    Raises:
        StorageError: even the list of streams cannot be read.
    """
    return _Verification(store, streams, on_progress).run()


class _Verification:
    def __init__(
        self, store: Store, streams: Streams, on_progress: Callable[[int, int], None]
    ) -> None:
        self._store = store
        self._streams = streams
        self._on_progress = on_progress
        self._report = Report()
        self._total = 0
        self._heads: dict[str, int] = {}
        self._snapshots = _all_snapshots(store)
        self._next_snapshot: Snapshot | None = None

    def run(self) -> Report:
        counts = list(self._store.streams())
        self._total = sum(count for _, count in counts)
        self._advance()
        for stream, count in counts:
            snapshot = self._snapshot_of(stream)
            try:
                if self._is_left_over(stream):
                    self._skip(stream, count)
                else:
                    self._check_stream(stream, count, snapshot)
            except Exception as error:  # whatever damaged bytes lead to is a fault
                self._fault(stream, f"it cannot be read: {error}")
        self._snapshot_of(None)
        try:
            self._check_keys()
        except Exception as error:  # whatever damaged bytes lead to is a fault
            self._fault("the used keys", f"they cannot be read: {error}")
        return self._report

    def _is_left_over(self, stream: str) -> bool:
        """Return whether it belongs to a feature that is not installed, and has a valid name."""
        kind, _, rest = stream.partition("/")
        if not rest or kind in self._streams:
            return False
        first = self._store.records(stream, 0, 1)
        return bool(first) and self._streams.stream_of(first[0].body) == stream

    def _skip(self, stream: str, count: int) -> None:
        kind = stream.partition("/")[0]
        self._report.skipped[kind] = self._report.skipped.get(kind, 0) + 1
        self._total -= count

    def _check_stream(self, stream: str, count: int, snapshot: Snapshot | None) -> None:
        self._report.streams += 1
        before = self._report.events
        # Raises for a kind that is unknown.
        self._streams.empty(stream)
        check = StreamCheck(stream, self._streams)
        while records := self._store.records(stream, check.seq, PAGE):
            _check_order(check.seq, records[-1].seq)
            for record in records:
                for what in check.check(record):
                    self._fault(f"{stream}, event {record.seq}", what)
                if snapshot is not None and snapshot.seq == record.seq and check.sound:
                    self._check_snapshot(check, snapshot)
            self._heads[stream] = check.seq
            self._report.events += len(records)
            self._on_progress(self._report.events, self._total)
        if (lost := count - (self._report.events - before)) > 0:
            self._fault(stream, f"{lost} of its events have a seq below 1")
        if snapshot is not None and snapshot.seq > check.seq:
            text = f"its snapshot is of event {snapshot.seq}, and the last is {check.seq}"
            self._fault(stream, text)

    def _check_snapshot(self, check: StreamCheck, snapshot: Snapshot) -> None:
        if not self._streams.is_current(check.stream, snapshot):
            # It is ignored when the stream is loaded.
            return
        where = f"{check.stream}, snapshot of event {snapshot.seq}"
        try:
            state = self._streams.decode_state(check.stream, snapshot)
        except DECODING_ERRORS as error:
            self._fault(where, f"it cannot be decoded: {error}")
            return
        if state != check.state:
            self._fault(where, "it is not the fold of the events up to there")
        if snapshot.at != check.at:
            self._fault(where, f"its time {snapshot.at.isoformat()} is not the event's")

    def _check_keys(self) -> None:
        after = ("", "")
        while page := self._store.keys(after, PAGE):
            _check_order(after, (page[-1].by, page[-1].key))
            for used in page:
                self._report.keys += 1
                for stream, seq in used.places:
                    if stream.partition("/")[0] in self._report.skipped:
                        continue
                    if not self._exists(stream, seq):
                        text = f"its event {seq} of {stream} does not exist"
                        self._fault(f"key {used.key!r} of {used.by}", text)
            after = (page[-1].by, page[-1].key)

    def _exists(self, stream: str, seq: int) -> bool:
        if 1 <= seq <= self._heads.get(stream, 0):
            return True
        # Nodes may have written it since the stream was read.
        return self._store.shared and seq >= 1 and bool(self._store.read(stream, seq - 1, 1))

    def _snapshot_of(self, stream: str | None) -> Snapshot | None:
        """Return a stream's snapshot. Both come in order, so one before it has no events."""
        while (found := self._next_snapshot) is not None:
            if stream is not None and found.stream > stream:
                break
            self._advance()
            if found.stream == stream:
                return found
            self._fault(found.stream, "it has a snapshot, and no event")
        return None

    def _advance(self) -> None:
        try:
            self._next_snapshot = next(self._snapshots, None)
        except Exception as error:  # whatever damaged bytes lead to is a fault
            self._next_snapshot = None
            self._fault("the snapshots", f"they cannot be read: {error}")
        self._report.snapshots += self._next_snapshot is not None

    def _fault(self, where: str, what: str) -> None:
        self._report.faults_found += 1
        if len(self._report.faults) < FAULTS_MAX:
            self._report.faults.append(Fault(where, what))


def _all_snapshots(store: Store) -> Iterator[Snapshot]:
    after = ""
    while page := store.snapshots(after, PAGE):
        _check_order(after, page[-1].stream)
        yield from page
        after = page[-1].stream


def _check_order(after: T, found: T) -> None:
    # A damaged index could return the same page again and again.
    if not found > after:
        raise StorageError("its index is out of order")
