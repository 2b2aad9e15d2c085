"""
Makes a sound database of a damaged one, with every event that can be trusted.

Nothing is guessed: an event is kept if it says the same as its columns, and follows the one
before it. At the first event that is missing or damaged its stream ends, because a state without
it would be another state. Everything else comes from the events again: the numbers
of the streams, snapshots, the indexes and the text index.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, nullcontext
from pathlib import Path
from random import SystemRandom
from typing import Any

import apsw
import msgspec

from ..errors import StorageError
from .decide.cache_entries import SNAPSHOT_EVENTS_MIN
from .event import Streams
from .publishing import check_paths, held, partial_file, publish_file, real_path
from .stores import text_index
from .stores.contract import Record, Snapshot, new_journal_id, new_secret
from .stores.opening import open_writer
from .stores.rows import used_of, used_row
from .stores.salvage import Salvage, open_salvage
from .stores.snapshot_parts import write_snapshot
from .stream_check import DECODING_ERRORS, StreamCheck, head_of

__all__ = ["LostEvents", "RepairReport", "repair"]

# Ids are dense, and no event is shorter: a larger id for the file is a damaged one.
EVENT_BYTES_MIN = 8
EVENTS_AT_ONCE = 10_000

EVENT = """
INSERT OR IGNORE INTO event (id, stream, seq, type, by, ref, body) VALUES (?, ?, ?, ?, ?, ?, ?)
"""
# The rest of a row, behind its id, in the order of a Record.
STREAM = "SELECT id, seq, type, by, abs(ref), body FROM event WHERE stream = ? ORDER BY seq"
MISSING = "it is missing"
OUT_OF_ORDER = "it was committed before the event before it"
CUT = "DELETE FROM event WHERE stream = ? AND seq >= ?"
LAST = "SELECT coalesce(max(seq), 0) FROM event WHERE stream = ?"
NUMBER = "INSERT INTO stream (name, number) VALUES (?, ?)"
KEY = "INSERT OR IGNORE INTO used VALUES (?, ?, ?, ?, ?)"
META = "INSERT OR REPLACE INTO meta VALUES (?, ?)"


class LostEvents(msgspec.Struct, frozen=True):
    """
    Events of a stream that are not in the new database.

    Args:
        stream: its name.
        first: the seq of the first event that is missing.
        last: the seq of the last event that is known to have been there.
        why: what is wrong with the first.
    """

    stream: str
    first: int
    last: int
    why: str


class RepairReport(msgspec.Struct):
    """
    The result of a repair.

    Args:
        streams: the number of streams in the new database.
        events: the number of their events.
        keys: the number of idempotency keys.
        dropped: the events that are missing, one range for each stream that was cut.
        keys_dropped: keys of dropped events, or damaged; their commands can be repeated.
        new_secret: True if the key that signs tokens was lost, so users must sign in again.
        damaged_pages: the pages of the file that could not be decoded.
    """

    streams: int = 0
    events: int = 0
    keys: int = 0
    dropped: list[LostEvents] = []
    keys_dropped: int = 0
    new_secret: bool = False
    damaged_pages: list[int] = []


def repair(
    db: str | Path,
    copy: str | Path,
    streams: Streams,
    on_progress: Callable[[int], None] = lambda done: None,
) -> RepairReport:
    """
    Write a new database with everything in a damaged one that is sound.

    It only reads the damaged database. The new database has a new ``journal_id``, as after a
    restore.

    Args:
        db: the damaged database's path; no server has it open.
        copy: the new database's path.
        streams: the known kinds of stream; of other kinds only the heads of events are checked.
        on_progress: called from time to time with the number of events read.

    Raises:
        NotFound: there is no such database.
        Conflict: a server has it open, or the copy's path exists.
        Invalid: both paths are the same file.
        StorageError: no event can be read, or the copy cannot be written.
    """
    source, target = real_path(db), real_path(copy)
    check_paths(source, target, force=False)
    # The damaged file may be on a disk that cannot be written to any more.
    served = Path(f"{source}.lock").exists()
    try:
        with held(source) if served else nullcontext(), partial_file(target) as partial:
            with open_salvage(source) as salvage, closing(open_writer(partial, copy)) as writer:
                # A half-made copy need not survive a crash: it has no name yet.
                writer.pragma("journal_mode", "off")
                writer.pragma("synchronous", "off")
                report = _Repair(salvage, writer, streams, on_progress).run()
            publish_file(partial, target, force=False)
    except (apsw.Error, OSError) as error:
        raise StorageError(f"{copy} cannot be written: {error}.") from error
    return report


class _Repair:
    def __init__(
        self,
        salvage: Salvage,
        writer: apsw.Connection,
        streams: Streams,
        on_progress: Callable[[int], None],
    ) -> None:
        self._salvage = salvage
        self._writer = writer
        self._streams = streams
        self._on_progress = on_progress
        self._report = RepairReport()
        self._numbers: dict[str, int] = {}
        self._heads: dict[str, int] = {}
        self._cuts: dict[str, LostEvents] = {}
        # The time of the last event, in seconds since 1970.
        self._newest = 0

    def run(self) -> RepairReport:
        """Fill the new database."""
        report = self._report
        with self._writer:
            self._writer.executemany(EVENT, self._events())
            self._writer.executemany(NUMBER, self._numbers.items())
            for stream, number in sorted(self._numbers.items()):
                self._keep_what_follows(stream, number)
            self._writer.executemany(KEY, self._keys())
            self._write_meta()
        if not self._heads:
            raise StorageError(
                "No event of a Hubbub database can be read in this file; restore a backup."
            )
        text_index.index_all(self._writer)
        [(report.events,)] = self._writer.execute("SELECT count(*) FROM event")
        [(report.keys,)] = self._writer.execute("SELECT count(*) FROM used")
        report.streams = len(self._heads)
        report.dropped = [self._cuts[stream] for stream in sorted(self._cuts)]
        report.damaged_pages = self._salvage.damaged_pages
        return report

    def _events(self) -> Iterator[tuple[object, ...]]:
        last_id = self._salvage.size // EVENT_BYTES_MIN
        for done, row in enumerate(self._salvage.events()):
            if done % EVENTS_AT_ONCE == 0:
                self._on_progress(done)
            try:
                head = head_of(row.body)
                number = self._number_of(head.stream)
            except DECODING_ERRORS:
                continue
            ref = None if row.ref is None else abs(row.ref)
            agrees = (row.seq, row.type, row.by, ref) == (head.seq, head.type, head.by, head.ref)
            if agrees and 1 <= row.id <= last_id and row.seq >= 1:
                yield row.id, number, row.seq, row.type, row.by, row.ref, row.body

    def _number_of(self, stream: str) -> int:
        if (number := self._numbers.get(stream)) is None:
            # Raises for what cannot be a name.
            StreamCheck(stream, self._streams)
            number = self._numbers[stream] = len(self._numbers) + 1
        return number

    def _keep_what_follows(self, stream: str, number: int) -> None:
        """Keep a stream's events up to the first that is missing or damaged."""
        check = StreamCheck(stream, self._streams)
        fault, due, last_id = "", 1, 0
        rows = self._writer.execute(STREAM, (number,))
        events: Iterator[tuple[Any, ...]] = rows
        for id_, *columns in events:
            due, record = check.seq + 1, Record(stream, *columns)
            found = next(check.check(record), "" if id_ > last_id else OUT_OF_ORDER)
            if fault := found if record.seq == due else MISSING:
                break
            last_id = id_
        rows.close()
        if fault:
            self._cut(stream, number, due, fault)
            return
        self._heads[stream] = check.seq
        self._write_snapshot(check)
        if check.at is not None:
            self._newest = max(self._newest, int(check.at.timestamp()))

    def _cut(self, stream: str, number: int, seq: int, why: str) -> None:
        [(last,)] = self._writer.execute(LAST, (number,))
        self._writer.execute(CUT, (number, seq))
        self._cuts[stream] = LostEvents(stream, seq, last, why)
        if seq > 1:
            self._heads[stream] = seq - 1
        else:
            self._writer.execute("DELETE FROM stream WHERE number = ?", (number,))

    def _write_snapshot(self, check: StreamCheck) -> None:
        if check.state is None or check.at is None or check.seq <= SNAPSHOT_EVENTS_MIN:
            return
        body, parts = self._streams.encode_state(check.state)
        snapshot = Snapshot(check.stream, check.seq, check.at, body, parts)
        write_snapshot(self._writer, snapshot)

    def _keys(self) -> Iterator[tuple[object, ...]]:
        for row in self._salvage.used():
            # The time of the last event is not too early for a key without one.
            at = self._newest if row.at is None else row.at
            try:
                used = used_of(row.by, row.key, row.fingerprint, row.places, at)
            except (ValueError, RecursionError):
                self._report.keys_dropped += 1
                continue
            missing = [place for place in used.places if not self._exists(*place)]
            for stream, seq in missing:
                self._note_missing(stream, seq)
            if missing:
                self._report.keys_dropped += 1
            else:
                yield used_row(used)

    def _exists(self, stream: str, seq: int) -> bool:
        return 1 <= seq <= self._heads.get(stream, 0)

    def _note_missing(self, stream: str, seq: int) -> None:
        """A key names an event that is not there: so far the stream went at least."""
        head = self._heads.get(stream, 0)
        known = self._cuts.get(stream)
        if known is None:
            self._cuts[stream] = LostEvents(stream, head + 1, seq, "an idempotency key names it")
        elif seq > known.last:
            self._cuts[stream] = msgspec.structs.replace(known, last=seq)

    def _write_meta(self) -> None:
        secret = self._salvage.meta("secret")
        chance = SystemRandom()
        self._report.new_secret = secret is None
        self._writer.execute(META, ("secret", secret or new_secret(chance)))
        self._writer.execute(META, ("journal_id", new_journal_id(chance)))
