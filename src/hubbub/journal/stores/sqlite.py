"""A store in one SQLite file."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from queue import Empty, SimpleQueue
from random import Random, SystemRandom
from threading import Lock, local
from typing import Any

import apsw
import msgspec

from ...errors import StorageError
from . import schema, text_index
from .closing import abandon, close_all, take_all
from .contract import (
    Batch,
    Loaded,
    PlacedEvent,
    Record,
    Snapshot,
    Stale,
    Used,
    new_journal_id,
    new_secret,
)
from .database_file import DatabaseFile
from .failures import failing, storage_errors
from .load_ahead import LoadAhead
from .opening import open_writer
from .rows import lines_of, placed_of, snapshots_of, used_of, used_row
from .snapshot_parts import write_part, write_snapshot

__all__ = ["SQLiteStore"]

# Rows written by one statement: each statement releases the interpreter's lock.
ROWS_AT_ONCE = (512, 64, 8, 1)
# How long closing waits for calls that are still running, in seconds.
CLOSE_SECONDS_MAX = 5.0
# Events read at once when one or several streams are loaded.
LOADED_EVENTS_MAX = 5_000
# Streams whose numbers and heads are cached.
NUMBERS_MAX = 100_000
# Used keys that are removed at once: a few milliseconds.
EXPIRED_MAX = 2_000


class SQLiteStore:
    """
    Events, keys, snapshots and the text index in one file, with its log beside it.

    WAL with ``synchronous=FULL``: a committed event survives power loss. One connection
    writes; each thread that reads borrows a connection.

    Args:
        path: the database; it is created if necessary.
        random: where the id and the secret of a new journal come from; by default the operating
            system.

    Raises:
        Conflict: another process, or another hub of this process, has the database open.
        StorageError: the database cannot be opened, or is not a Hubbub database.
    """

    blocking = True
    shared = False

    def __init__(self, path: str | Path, random: Random | None = None) -> None:
        random = random or SystemRandom()
        self._file = DatabaseFile(path)
        self.path = self._file.path
        self.log_name = f"the database {self.path}"
        self._idle_readers: SimpleQueue[apsw.Connection] = SimpleQueue()
        self._readers: list[apsw.Connection] = []
        # Held by the thread that writes: an abandoned commit may still be running.
        self._writing = Lock()
        try:
            self._writer = open_writer(self.path, path)
            self.journal_id = self._meta("journal_id", new_journal_id(random))
            self.secret = self._meta("secret", new_secret(random))
            self._indexed = int(self._meta("indexed", "0"))
            # The connection that a thread keeps while it reads several things.
            self._own = local()
            # A stream's name -> its number in the file, and its head.
            self._numbers: dict[str, list[int]] = {}
            # Another value means that another program has written.
            self._version = 0
            self._file.make_private()
            self._file.watch()
        except BaseException:
            abandon(getattr(self, "_writer", None), self._file)
            raise

    @storage_errors
    def commit(self, batch: Batch) -> None:
        """Write a batch as one transaction."""
        with self._writing:
            with self._transaction():
                self._insert(batch.records)
                if batch.superseded:
                    self._writer.executemany(schema.SUPERSEDE, batch.superseded)
                if batch.used:
                    self._writer.executemany(schema.INSERT_USED, map(used_row, batch.used))
                for one in batch.snapshots:
                    write_snapshot(self._writer, one)
            self._file.check()

    @storage_errors
    def keep_part(self, snapshot: Snapshot, number: int) -> None:
        """Write one part of a snapshot; see the contract."""
        with self._writing:
            with self._transaction():
                write_part(self._writer, snapshot, number)
            self._file.check()

    @contextlib.contextmanager
    def reading(self, streams: Sequence[str] = ()) -> Iterator[None]:
        """Make the reads of this thread one transaction; see the contract."""
        with self._borrowed() as reader:
            with failing(self.log_name):
                reader.execute("BEGIN")
            self._own.reader = reader
            self._own.ahead = LoadAhead(streams, self._snapshots, self._all, LOADED_EVENTS_MAX)
            try:
                yield
            finally:
                self._own.reader = self._own.ahead = None
                with failing(self.log_name):
                    # The failure may have ended it already.
                    if reader.in_transaction:
                        reader.execute("COMMIT")

    @storage_errors
    def load(self, stream: str) -> Loaded:
        """Return the events, and the snapshot, that a stream's state is folded from."""
        ahead: LoadAhead | None = getattr(self._own, "ahead", None)
        if ahead is not None and (loaded := ahead.take(stream)) is not None:
            return loaded
        snapshot = self._snapshots([stream]).get(stream)
        bodies, full = list[bytes](), True
        while full:
            after = (snapshot.seq if snapshot else 0) + len(bodies)
            page = self.read(stream, after, LOADED_EVENTS_MAX)
            bodies += page
            full = len(page) == LOADED_EVENTS_MAX
        return Loaded(snapshot, bodies)

    @storage_errors
    def read(self, stream: str, after: int, limit: int) -> list[bytes]:
        """Return up to ``limit`` events after a seq, in order; all of them if it is -1."""
        return self._bodies(schema.READ, stream, after, limit)

    @storage_errors
    def about(self, stream: str, first: int, last: int) -> list[bytes]:
        """Return the events whose ref is within ``first`` to ``last``, in order."""
        return self._bodies(schema.ABOUT, stream, first, last)

    @storage_errors
    def taken_back(self, stream: str, after: int, last: int) -> list[int]:
        """Return the seqs of deleted events; see the contract."""
        # Most streams have none, which ends here.
        [(has_deleted,)] = self._all(schema.HAS_DELETED, stream)
        if not has_deleted:
            return []
        return [int(seq) for (seq,) in self._all(schema.TAKEN_BACK, stream, after, last)]

    @storage_errors
    def page(
        self, stream: str, kind: str, after: int | None, before: int | None, limit: int
    ) -> list[bytes]:
        """Return a page of events of one type, in order; see the contract."""
        forward = before is None and after is not None
        return self._bodies(
            schema.PAGE_FORWARD if forward else schema.PAGE_BACKWARD,
            stream,
            after or 0,
            before if before is not None else 1 << 62,
            kind,
            limit,
        )

    @storage_errors
    def count(self, stream: str, kind: str, after: int, not_by: str, limit: int) -> int:
        """Count events of one type after a seq by other users, up to ``limit``."""
        [(count,)] = self._all(schema.COUNT, stream, after, kind, not_by, limit)
        return int(count)

    @storage_errors
    def used(self, by: str, key: str) -> Used | None:
        """Return the record of a user's key."""
        query = "SELECT fingerprint, places, at FROM used WHERE by = ? AND key = ?"
        for row in self._all(query, by, key):
            return used_of(by, key, *row)
        return None

    @storage_errors
    def search(self, stream: str, words: Sequence[str], before: int, limit: int) -> list[int]:
        """Query the text index; see the contract."""
        [(number,)] = self._all("SELECT max(number) FROM stream WHERE name = ?", stream)
        rows = self._all(text_index.FOUND, text_index.query_of(number, words), before, limit)
        return [seq for (seq,) in rows]

    @storage_errors
    def catch_up(self) -> bool:
        """Index the texts of more events."""
        with self._writing:
            with text_index.not_synced(self._writer), self._transaction():
                last, more = text_index.index_some(self._writer, self._indexed)
            self._indexed = last
            self._file.check()
            return more

    @storage_errors
    def expire(self, before: int) -> bool:
        """Remove some expired keys; return whether more are left."""
        with self._writing:
            with self._transaction():
                self._writer.execute(schema.EXPIRE, (before, EXPIRED_MAX))
                removed = self._writer.changes()
            self._file.check()
            return bool(removed == EXPIRED_MAX)

    @storage_errors
    def check(self) -> None:
        """Write a dummy value, or raise."""
        with self._writing:
            with self._transaction():
                self._writer.execute("INSERT OR REPLACE INTO meta VALUES ('checked', '')")
            self._file.check()

    @storage_errors
    def streams(self) -> Iterator[tuple[str, int]]:
        """Yield each stream's name and its number of events."""
        rows = self._all(schema.STREAM_COUNTS)
        return iter([(str(stream), int(count)) for stream, count in rows])

    @storage_errors
    def names(self, after: str, before: str, limit: int) -> list[str]:
        """Return names of streams in order; see the contract."""
        return [name for (name,) in self._all(schema.STREAM_NAMES, after, before, limit)]

    @storage_errors
    def records(self, stream: str, after: int, limit: int) -> list[Record]:
        """Return up to ``limit`` events after a seq, in order, with their columns."""
        return [Record(stream, *row) for row in self._all(schema.RECORDS, stream, after, limit)]

    @storage_errors
    def committed(self, after: int, limit: int) -> list[PlacedEvent]:
        """Return up to ``limit`` events of all streams after a place, in the order of commits."""
        [row] = self._all(schema.COMMITTED, after, limit)
        return placed_of(*row)

    @storage_errors
    def last_place(self) -> int:
        """Return the place of the newest event; 0 if there is none."""
        [(place,)] = self._all(schema.LAST_PLACE)
        return int(place)

    @storage_errors
    def snapshots(self, after: str, limit: int) -> list[Snapshot]:
        """Return up to ``limit`` snapshots of the streams after a name, in the names' order."""
        return snapshots_of(self._all(schema.SNAPSHOTS_AFTER, after, limit))

    @storage_errors
    def keys(self, after: tuple[str, str], limit: int) -> list[Used]:
        """Return up to ``limit`` used keys after a user's key, in order."""
        query = (
            "SELECT by, key, fingerprint, places, at FROM used"
            " WHERE (by, key) > (?, ?) ORDER BY by, key LIMIT ?"
        )
        return [used_of(*row) for row in self._all(query, *after, limit)]

    @storage_errors
    def adopt(self, journal_id: str, secret: str) -> None:
        """Be the journal of this id from now on, and sign tokens with its secret."""
        with self._writing, self._transaction():
            self._writer.execute(schema.ADOPT, (journal_id, secret))
        self.journal_id, self.secret = journal_id, secret

    def close(self) -> None:
        """
        Wait for running calls, close every connection and unlock the file.

        Raises:
            StorageError: a call does not return, and the file stays locked; or the disk failed, and
                nothing committed is lost.
        """
        unanswered = StorageError(f"The database {self.path} does not answer.")
        if not self._writing.acquire(timeout=CLOSE_SECONDS_MAX):
            raise unanswered
        try:
            readers = take_all(self._idle_readers, len(self._readers), CLOSE_SECONDS_MAX)
        except Empty as error:
            self._writing.release()
            raise unanswered from error
        self._readers.clear()
        close_all([*readers, self._writer], self._file)

    @storage_errors
    def _meta(self, name: str, default: str) -> str:
        self._writer.execute("INSERT OR IGNORE INTO meta VALUES (?, ?)", (name, default))
        [(value,)] = self._writer.execute("SELECT value FROM meta WHERE name = ?", (name,))
        return str(value)

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        if self._writer.in_transaction:
            # The last transaction failed, and could not even be rolled back.
            self._writer.execute("ROLLBACK")
        self._writer.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._writer.execute("COMMIT")
        except BaseException:
            # Some streams may have got their numbers in this transaction.
            self._numbers.clear()
            # A full disk may have rolled it back already.
            if self._writer.in_transaction:
                self._writer.execute("ROLLBACK")
            raise

    def _insert(self, records: Sequence[Record]) -> None:
        self._forget_numbers()
        done, numbers = 0, self._numbers
        if unknown := [name for name in {r.stream: None for r in records} if name not in numbers]:
            self._learn_numbers(unknown)
        for rows in ROWS_AT_ONCE:
            sql = schema.INSERT + ",".join(["(?,?,?,?,?,?)"] * rows)
            while len(records) - done >= rows:
                values: list[Any] = []
                for r in records[done : done + rows]:
                    known = numbers[r.stream]
                    if r.seq != known[1] + 1:
                        raise Stale
                    known[1] = r.seq
                    values += (known[0], r.seq, r.type, r.by, r.ref, r.body)
                self._writer.execute(sql, values)
                done += rows

    def _forget_numbers(self) -> None:
        # It changes when another connection has written, and not by this one.
        [(version,)] = self._writer.execute("PRAGMA data_version")
        if version != self._version:
            self._version = version
            self._numbers.clear()
        # Not all of them, or the next thousands of streams would be looked up again.
        for name in list(islice(self._numbers, max(0, len(self._numbers) - NUMBERS_MAX))):
            del self._numbers[name]

    def _learn_numbers(self, streams: Sequence[str]) -> None:
        # With one query for all, which costs less than one for each.
        names = _encode(streams).decode()
        self._writer.execute(schema.ADD_NUMBERS, (names,))
        [(rows,)] = self._writer.execute(schema.NUMBERS_AND_HEADS, (names,))
        for name, row in zip(streams, rows.split(","), strict=True):
            self._numbers[name] = [*map(int, row.split())]

    def _snapshots(self, streams: Sequence[str]) -> dict[str, Snapshot]:
        rows = self._all(schema.SNAPSHOTS, _encode(streams).decode())
        return {snapshot.stream: snapshot for snapshot in snapshots_of(rows)}

    def _bodies(self, query: str, *values: object) -> list[bytes]:
        [(text,)] = self._all(query, *values)
        return lines_of(text)

    def _all(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        if (own := getattr(self._own, "reader", None)) is not None:
            return list(own.execute(query, values))
        with self._borrowed() as reader:
            return list(reader.execute(query, values))

    @contextlib.contextmanager
    def _borrowed(self) -> Iterator[apsw.Connection]:
        reader = self._reader()
        try:
            yield reader
        finally:
            self._idle_readers.put(reader)

    @storage_errors
    def _reader(self) -> apsw.Connection:
        # An open connection could still read a deleted file, and a new one could not.
        self._file.check()
        try:
            return self._idle_readers.get_nowait()
        except Empty:
            reader = apsw.Connection(str(self.path), flags=apsw.SQLITE_OPEN_READONLY)
            reader.set_busy_timeout(1_000)
            self._readers.append(reader)
            return reader


_encode = msgspec.json.Encoder().encode
