"""
Verifies a whole journal, and lists its faults. It writes nothing.

A journal is sound if, in each stream, seqs have no gaps, times never decrease, every event
matches its columns, and all of them fold; if every snapshot is the fold of the events up to its
seq; and if the events of every used key exist.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import msgspec

from ..errors import HubbubError
from .event import Event, State, Streams, tag_of
from .stores.contract import Record, Snapshot, Store

__all__ = ["FAULTS_MAX", "Fault", "Report", "verify"]

# Faults that are listed; further ones are only counted.
FAULTS_MAX = 1_000
PAGE = 1_000
UTC_OFFSET = timedelta(0)

# The errors of a store or a decoder for damaged bytes.
_UNREADABLE = (HubbubError, ValueError, RecursionError)


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
        store: nothing writes to it in the meantime.
        streams: the known kinds of stream; streams of other kinds, which a removed feature has
            left, are skipped.
        on_progress: called from time to time with the events read, and with all events.

    Raises:
        StorageError: even the list of streams cannot be read.
    """
    return _Verification(store, streams, on_progress).run()


class _Fold:
    """A stream, as far as it was read."""

    def __init__(self, stream: str, state: State, snapshot: Snapshot | None) -> None:
        self.stream = stream
        self.state = state
        self.snapshot = snapshot
        self.seq = 0
        self.at: datetime | None = None
        # False after a fault: the fold is meaningless from then on.
        self.sound = True


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
            except _UNREADABLE as error:
                self._fault(stream, f"it cannot be read: {error}")
        self._snapshot_of(None)
        try:
            self._check_keys()
        except _UNREADABLE as error:
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
        fold = _Fold(stream, self._streams.empty(stream), snapshot)
        while records := self._store.records(stream, fold.seq, PAGE):
            for record in records:
                self._check_record(fold, record)
            self._heads[stream] = fold.seq
            self._report.events += len(records)
            self._on_progress(self._report.events, self._total)
        if (lost := count - (self._report.events - before)) > 0:
            self._fault(stream, f"{lost} of its events have a seq below 1")
        if snapshot is not None and snapshot.seq > fold.seq:
            text = f"its snapshot is of event {snapshot.seq}, and the last is {fold.seq}"
            self._fault(stream, text)

    def _check_record(self, fold: _Fold, record: Record) -> None:
        if record.seq != fold.seq + 1:
            last = record.seq - 1
            missing = f"event {last} is" if last == fold.seq + 1 else f"events up to {last} are"
            self._event_fault(fold, record, f"{missing} missing before it")
        fold.seq = record.seq
        try:
            event = self._streams.decode(record.body)
        except _UNREADABLE as error:
            self._event_fault(fold, record, f"it cannot be decoded: {error}")
            return
        self._check_head(fold, record, event)
        if fold.sound:
            self._fold(fold, record, event)

    def _check_head(self, fold: _Fold, record: Record, event: Event) -> None:
        shown = (event.stream, event.seq, tag_of(event.data), event.by, event.ref)
        columns = (record.stream, record.seq, record.type, record.by, record.ref)
        if shown != columns:
            self._event_fault(fold, record, f"it is stored as {columns} and contains {shown}")
        if event.ref is not None and not 1 <= event.ref < record.seq:
            self._event_fault(fold, record, f"it is about event {event.ref}, which is not earlier")
        if event.at.utcoffset() != UTC_OFFSET:
            self._event_fault(fold, record, f"its time {event.at.isoformat()} is not UTC")
            return
        if fold.at is not None and event.at < fold.at:
            text = f"its time {event.at.isoformat()} is before {fold.at.isoformat()}"
            self._event_fault(fold, record, text)
        fold.at = event.at

    def _fold(self, fold: _Fold, record: Record, event: Event) -> None:
        try:
            fold.state.apply(event)
        except Exception as error:  # any exception of a fold is a fault of the journal
            text = f"it does not fold: {type(error).__name__}: {error}"
            self._event_fault(fold, record, text)
            return
        if fold.snapshot is not None and fold.snapshot.seq == record.seq:
            self._check_snapshot(fold, fold.snapshot, event)

    def _check_snapshot(self, fold: _Fold, snapshot: Snapshot, event: Event) -> None:
        if not self._streams.is_current(fold.stream, snapshot):
            # It is ignored when the stream is loaded.
            return
        where = f"{fold.stream}, snapshot of event {snapshot.seq}"
        try:
            state = self._streams.decode_state(fold.stream, snapshot)
        except _UNREADABLE as error:
            self._fault(where, f"it cannot be decoded: {error}")
            return
        if state != fold.state:
            self._fault(where, "it is not the fold of the events up to there")
        if snapshot.at != event.at:
            self._fault(where, f"its time {snapshot.at.isoformat()} is not the event's")

    def _check_keys(self) -> None:
        after = ("", "")
        while page := self._store.keys(after, PAGE):
            for used in page:
                self._report.keys += 1
                for stream, seq in used.places:
                    if stream.partition("/")[0] in self._report.skipped:
                        continue
                    if not 1 <= seq <= self._heads.get(stream, 0):
                        text = f"its event {seq} of {stream} does not exist"
                        self._fault(f"key {used.key!r} of {used.by}", text)
            after = (page[-1].by, page[-1].key)

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
        except _UNREADABLE as error:
            self._next_snapshot = None
            self._fault("the snapshots", f"they cannot be read: {error}")
        self._report.snapshots += self._next_snapshot is not None

    def _event_fault(self, fold: _Fold, record: Record, what: str) -> None:
        fold.sound = False
        self._fault(f"{fold.stream}, event {record.seq}", what)

    def _fault(self, where: str, what: str) -> None:
        self._report.faults_found += 1
        if len(self._report.faults) < FAULTS_MAX:
            self._report.faults.append(Fault(where, what))


def _all_snapshots(store: Store) -> Iterator[Snapshot]:
    after = ""
    while page := store.snapshots(after, PAGE):
        yield from page
        after = page[-1].stream
