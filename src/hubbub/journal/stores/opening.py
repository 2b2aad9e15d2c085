"""Opens a SQLite database: a new one, one of an earlier version, or a foreign one."""

from __future__ import annotations

from pathlib import Path

import apsw

from ...errors import StorageError
from . import schema, text_index
from .migrations import OLDEST_VERSION, SCHEMA_VERSION, migrate, needed_release, note_release

__all__ = ["APPLICATION_ID", "check_version", "open_writer"]

# "Hubb": in the file's header, to recognize our databases.
APPLICATION_ID = 0x48756262


def open_writer(path: Path, name: str | Path) -> apsw.Connection:
    """
    Open a database to write to it; make it, or bring it to the present version.

    Args:
        path: the file.
        name: what the operator calls it.

    Raises:
        StorageError: it cannot be opened, or is not a hubbub database.
    """
    try:
        writer = apsw.Connection(str(path))
        try:
            writer.set_busy_timeout(1_000)
            _prepare(writer, name)
        except BaseException:
            writer.close()
            raise
    except apsw.Error as error:
        # Clients do not see this message, so it may name the file.
        raise StorageError(f"The database {name} cannot be opened: {error}.") from error
    return writer


def _prepare(writer: apsw.Connection, name: str | Path) -> None:
    is_new = not writer.pragma("schema_version")
    version = int(writer.pragma("user_version"))
    # Before anything is written: it may be somebody else's.
    if not is_new:
        check_version(writer, version, name)
    writer.pragma("journal_mode", "wal")
    writer.pragma("synchronous", "full")
    writer.pragma("cache_size", -32_000)
    if is_new:
        with writer:
            writer.execute(schema.SCHEMA)
            note_release(writer)
            writer.pragma("application_id", APPLICATION_ID)
            writer.pragma("user_version", SCHEMA_VERSION)
    else:
        migrate(writer, version)
    text_index.prepare(writer)


def check_version(database: apsw.Connection, version: int, name: str | Path) -> None:
    """
    Return if a database that is not new can be used, after a migration if need be.

    Args:
        database: open, if only to read.
        version: what its header says.
        name: what the operator calls it.

    Raises:
        StorageError: it is not a hubbub database, or of a version that is too new or too old.
    """
    if database.pragma("application_id") != APPLICATION_ID:
        raise StorageError(f"{name} is not a hubbub database; use another file.")
    if version > SCHEMA_VERSION:
        release = needed_release(database)
        wanted = "a newer Hubbub" if release is None else f"Hubbub {release} or newer"
        raise StorageError(
            f"{name} is a hubbub database of version {version}, and this Hubbub knows versions "
            f"up to {SCHEMA_VERSION}. Install {wanted}, or restore a backup from before the "
            "upgrade."
        )
    if version < OLDEST_VERSION:
        raise StorageError(
            f"{name} is a hubbub database of version {version}, from before the first release, "
            "and cannot be migrated; use another file."
        )
