"""
Where a device keeps its keys and what it has read: one file, in which every value is sealed.

The names of rows (rooms, devices, sessions) are readable; values are not. A transaction is one
step: what came of an event and how far the events were read are kept together, or not at all.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

import apsw
import filelock
import msgspec

from ..errors import Conflict, Invalid, StorageError
from .sealing import KEY_BYTES, Passphrase, Sealer

__all__ = ["KeyStore", "MessageRow", "RowChange"]

VERSION = 1
SCHEMA = """
CREATE TABLE IF NOT EXISTS opening (name TEXT PRIMARY KEY, value BLOB) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS row (
    kind TEXT, name TEXT, value BLOB, PRIMARY KEY (kind, name)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS seen (
    session TEXT, position INTEGER, seq INTEGER, PRIMARY KEY (session, position)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS message (
    stream TEXT, seq INTEGER, about INTEGER, session TEXT, value BLOB, PRIMARY KEY (stream, seq)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS message_about ON message (stream, about);
CREATE INDEX IF NOT EXISTS message_unread ON message (session) WHERE session != '';
"""
PAGE = "SELECT seq FROM message WHERE stream = ? AND seq > ? AND seq < ? AND seq = about"
NEWEST = f"{PAGE} ORDER BY seq DESC LIMIT ?"
OLDEST = f"{PAGE} ORDER BY seq LIMIT ?"


class RowChange(NamedTuple):
    """
    A row to be written.

    Args:
        kind: like ``inbound``.
        name: which of its kind.
        value: what it is from now on; None removes it.
    """

    kind: str
    name: str
    value: bytes | None


class MessageRow(NamedTuple):
    """
    An event of an encrypted room.

    Args:
        stream: the room's stream.
        seq: its place there.
        about: the seq of the message that it is about; its own, if it is a message.
        session: the session whose key it waits for; empty once it was read.
        value: the event, encoded.
    """

    stream: str
    seq: int
    about: int
    session: str
    value: bytes


class KeyStore:
    """
    The file. Its methods wait for the disk: call them in a worker thread, one at a time.

    Args:
        path: the file; it is made if it is not there.
        passphrase: opens it.
        how: how the passphrase of a new file becomes a key; by default dearly.

    Raises:
        Conflict: another program has it open.
        Invalid: the passphrase is wrong, or the file is no key store.
        StorageError: it cannot be opened or written.
    """

    def __init__(self, path: str | Path, passphrase: str, how: Passphrase | None = None) -> None:
        if not Path(path).parent.is_dir():
            raise StorageError(f"There is no directory {Path(path).parent}; make it first.")
        self._lock = filelock.FileLock(f"{path}.lock", timeout=0, thread_local=False)
        try:
            self._lock.acquire()
        except filelock.Timeout as error:
            raise Conflict(f"The key store {path} is open in another program.") from error
        try:
            with storage_errors():
                self._db = apsw.Connection(str(path))
        except BaseException:
            self._lock.release()
            raise
        try:
            with storage_errors():
                for pragma in ("journal_mode = WAL", "synchronous = FULL", "busy_timeout = 0"):
                    self._db.execute(f"PRAGMA {pragma}").fetchall()
                self._db.execute(SCHEMA)
                self._sealer = self._opened(passphrase, how)
        except BaseException:
            with suppress(StorageError):
                self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """
        Close the file; nothing can be read or written after that.

        Raises:
            StorageError: the disk failed while SQLite moved its log into the file. It is unlocked,
                and nothing that was written is lost.
        """
        try:
            self._db.close()
        except apsw.Error as error:
            raise StorageError(
                f"The disk failed while the key store was closed: {error}. Nothing is lost: the "
                "log beside the file still has it, so keep both files."
            ) from error
        finally:
            self._lock.release()

    def get(self, kind: str, name: str) -> bytes | None:
        """Return a value; None if there is none."""
        with storage_errors():
            query = "SELECT value FROM row WHERE kind = ? AND name = ?"
            for (sealed,) in self._db.execute(query, (kind, name)):
                return self._sealer.open(f"{kind}/{name}", sealed)
        return None

    def all(self, kind: str) -> dict[str, bytes]:
        """Return all values of a kind, by their names."""
        with storage_errors():
            rows = self._db.execute("SELECT name, value FROM row WHERE kind = ?", (kind,))
            return {name: self._sealer.open(f"{kind}/{name}", sealed) for name, sealed in rows}

    def write(
        self,
        changes: Sequence[RowChange] = (),
        messages: Sequence[MessageRow] = (),
        seen: Sequence[tuple[str, int, int]] = (),
    ) -> None:
        """
        Write rows in one transaction, or none of them.

        Args:
            changes: rows.
            messages: events of rooms.
            seen: a session, an index within it, and the seq of the event that has it.
        """
        with storage_errors(), self._db:
            for change in changes:
                self._write(change)
            self._db.executemany(
                "INSERT OR REPLACE INTO message VALUES (?, ?, ?, ?, ?)",
                [(*row[:4], self._sealer.seal(place_of(row), row.value)) for row in messages],
            )
            self._db.executemany("INSERT OR REPLACE INTO seen VALUES (?, ?, ?)", seen)

    def seen(self, session: str, position: int) -> int | None:
        """Return the seq of the event that has an index of a session."""
        query = "SELECT seq FROM seen WHERE session = ? AND position = ?"
        with storage_errors():
            for (seq,) in self._db.execute(query, (session, position)):
                return int(seq)
        return None

    def highest(self, session: str) -> int:
        """Return the highest index of a session that was read; -1 if none was."""
        with storage_errors():
            query = "SELECT max(position) FROM seen WHERE session = ?"
            for (position,) in self._db.execute(query, (session,)):
                if position is not None:
                    return int(position)
        return -1

    def messages(self, stream: str, seqs: Sequence[int]) -> list[MessageRow]:
        """Return messages and what is about them, in order."""
        marks = ", ".join("?" * len(seqs))
        query = f"SELECT * FROM message WHERE stream = ? AND about IN ({marks}) ORDER BY seq"  # noqa: S608
        return self._rows(query, stream, *seqs)

    def page(self, stream: str, after: int, before: int, limit: int, *, newest: bool) -> list[int]:
        """Return the seqs of messages between two others, in order: the newest, or the oldest."""
        query = NEWEST if newest else OLDEST
        with storage_errors():
            found = [row[0] for row in self._db.execute(query, (stream, after, before, limit))]
        return sorted(int(seq or 0) for seq in found)

    def waiting(self, session: str) -> list[MessageRow]:
        """Return the events that wait for the key of a session, in order."""
        return self._rows("SELECT * FROM message WHERE session = ? ORDER BY stream, seq", session)

    def _rows(self, query: str, *values: object) -> list[MessageRow]:
        with storage_errors():
            rows = [MessageRow(*row) for row in self._db.execute(query, values)]
        return [row._replace(value=self._sealer.open(place_of(row), row.value)) for row in rows]

    def _write(self, change: RowChange) -> None:
        kind, name, value = change
        if value is None:
            self._db.execute("DELETE FROM row WHERE kind = ? AND name = ?", (kind, name))
            return
        sealed = self._sealer.seal(f"{kind}/{name}", value)
        self._db.execute("INSERT OR REPLACE INTO row VALUES (?, ?, ?)", (kind, name, sealed))

    def _opened(self, passphrase: str, how: Passphrase | None) -> Sealer:
        rows: Any = self._db.execute("SELECT name, value FROM opening").fetchall()
        kept: dict[str, Any] = dict(rows)
        if not kept:
            return self._made(passphrase, how or Passphrase.new())
        if kept["version"] != VERSION:
            raise Conflict("The key store was made by a later version of hubbub; upgrade it.")
        known = msgspec.json.decode(kept["passphrase"], type=Passphrase)
        try:
            return Sealer(Sealer(known.key(passphrase)).open("key", kept["key"]))
        except Invalid as error:
            raise Invalid("The passphrase of the key store is wrong.") from error

    def _made(self, passphrase: str, how: Passphrase) -> Sealer:
        # The key is random, and the passphrase only opens it: another passphrase is one row.
        key = secrets.token_bytes(KEY_BYTES)
        sealed = Sealer(how.key(passphrase)).seal("key", key)
        rows = [("version", VERSION), ("passphrase", msgspec.json.encode(how)), ("key", sealed)]
        with self._db:
            self._db.executemany("INSERT INTO opening VALUES (?, ?)", rows)
        return Sealer(key)


def place_of(row: MessageRow) -> str:
    """Return what a message's value is bound to."""
    return f"message/{row.stream}/{row.seq}"


@contextmanager
def storage_errors() -> Iterator[None]:
    """Raise what SQLite cannot do as a StorageError."""
    try:
        yield
    except apsw.NotADBError as error:
        raise Invalid("The file is no key store.") from error
    except apsw.Error as error:
        raise StorageError(f"The key store failed: {error}; nothing was written.") from error
