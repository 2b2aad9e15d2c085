"""
Makes the file of a database smaller and its index faster, without losing an event.

A database keeps three things that it can do without: idempotency keys that have expired,
snapshots that a newer Hubbub passes over because it folds events into something else, and
pages that are free since something was removed. Events stay, every one.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import apsw
import msgspec

from ..errors import StorageError
from .event import EncodedState, Streams
from .stores import text_index
from .stores.database_file import DatabaseFile
from .stores.opening import open_writer
from .upgrade import BUSY_MS, check_upgraded

__all__ = ["Survey", "compact", "survey"]

# The first characters of a snapshot have its version.
SNAPSHOTS = """
SELECT stream, substr(body, 1, 12), part, length(body) FROM (
    SELECT stream, max(seq) AS seq FROM snapshot WHERE part = 0 GROUP BY stream
) JOIN snapshot USING (stream, seq) ORDER BY stream, part
"""
# Parts of earlier snapshots, or of one that a process that was killed had begun.
FORGET_PARTS = """
DELETE FROM snapshot WHERE (stream, seq) NOT IN (
    SELECT stream, max(seq) FROM snapshot WHERE part = 0 GROUP BY stream
)
"""
EXPIRED = "SELECT count(*) FROM used WHERE at < ?"
FREE = "SELECT freelist_count * page_size FROM pragma_freelist_count, pragma_page_size"


class Survey(msgspec.Struct, frozen=True):
    """
    The sizes of a database, and the parts that it can do without.

    Args:
        size: bytes of the file and of the log beside it.
        log: of these, the bytes of the log, which ``compact`` writes into the file.
        free: bytes of pages in the file that hold nothing.
        expired_keys: idempotency keys that have expired.
        outdated: streams whose snapshot this Hubbub passes over.
        outdated_bytes: bytes of those snapshots.
    """

    size: int
    log: int
    free: int
    expired_keys: int
    outdated: tuple[str, ...]
    outdated_bytes: int


def survey(db: str | Path, streams: Streams, expires_before: int) -> Survey:
    """
    Measure a database; a server may have it open.

    Args:
        db: the database's path.
        streams: the kinds of stream there are; snapshots of other kinds are kept.
        expires_before: keys that are older have expired, in seconds since 1970.

    Raises:
        NotFound: there is no such database.
        Conflict: its version is older; migrate it first.
        StorageError: it is not a hubbub database, its version is too new, or it cannot be read.
    """
    check_upgraded(db)
    with _failing(db):
        flags = apsw.SQLITE_OPEN_READONLY
        with closing(apsw.Connection(str(db), flags=flags)) as database:
            database.set_busy_timeout(BUSY_MS)
            return _surveyed(database, Path(db), streams, expires_before)


def compact(db: str | Path, streams: Streams, expires_before: int) -> Survey:
    """
    Remove the parts that a database can do without, and give their space back.

    It needs as much free space on the disk as the database has bytes, for a moment. A process
    that is killed meanwhile leaves the database whole.

    Args:
        db: the database's path; no server has it open.
        streams: the kinds of stream there are; snapshots of other kinds are kept.
        expires_before: keys that are older have expired, in seconds since 1970.

    Returns:
        The database as it is afterwards.

    Raises:
        NotFound: there is no such database.
        Conflict: a server has it open, or its version is older.
        StorageError: it is not a hubbub database, its version is too new, or the disk is full.
    """
    before = survey(db, streams, expires_before)
    held = DatabaseFile(db)
    try:
        with _failing(db), closing(open_writer(held.path, db)) as writer:
            with writer:
                writer.execute("DELETE FROM used WHERE at < ?", (expires_before,))
                rows = [(stream,) for stream in before.outdated]
                writer.executemany("DELETE FROM snapshot WHERE stream = ?", rows)
                writer.execute(FORGET_PARTS)
            text_index.index_all(writer)
            writer.execute("VACUUM")
    finally:
        # The log is in the file by now: the last to close a database writes it there.
        held.release()
    return survey(db, streams, expires_before)


def _surveyed(
    database: apsw.Connection, path: Path, streams: Streams, expires_before: int
) -> Survey:
    [(expired,)] = database.execute(EXPIRED, (expires_before,))
    [(free,)] = database.execute(FREE)
    outdated, size = _outdated(database, streams)
    log = path.with_name(f"{path.name}-wal")
    log_size = log.stat().st_size if log.exists() else 0
    whole = path.stat().st_size + log_size
    return Survey(whole, log_size, int(free), int(expired), outdated, size)


def _outdated(database: apsw.Connection, streams: Streams) -> tuple[tuple[str, ...], int]:
    found, size = dict[str, None](), 0
    for stream, head, part, length in database.execute(SNAPSHOTS):
        known = stream.partition("/")[0] in streams
        if known and part == 0 and not streams.is_current(stream, EncodedState(head, ())):
            found[stream] = None
        size += length if stream in found else 0
    return tuple(found), size


@contextmanager
def _failing(db: str | Path) -> Iterator[None]:
    try:
        yield
    except apsw.Error as error:
        raise StorageError(f"The database {db} cannot be compacted: {error}.") from error
