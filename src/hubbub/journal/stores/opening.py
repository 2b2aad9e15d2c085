"""Opens a SQLite database: a new one, one of an earlier version, or a foreign one."""

from __future__ import annotations

from pathlib import Path

import apsw

from ...errors import StorageError
from . import schema, text_index

__all__ = ["APPLICATION_ID", "SCHEMA_VERSION", "open_writer"]

# "Hubb": in the file's header, to recognize our databases.
APPLICATION_ID = 0x48756262
SCHEMA_VERSION = 3


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
    version = writer.pragma("user_version")
    known = version == SCHEMA_VERSION or version in schema.MIGRATIONS
    # Before anything is written: it may be somebody else's.
    if not is_new and not (known and writer.pragma("application_id") == APPLICATION_ID):
        raise StorageError(
            f"{name} is not a hubbub database of version {SCHEMA_VERSION}; use another."
        )
    writer.pragma("journal_mode", "wal")
    writer.pragma("synchronous", "full")
    writer.pragma("cache_size", -32_000)
    if is_new:
        with writer:
            writer.execute(schema.SCHEMA)
            writer.pragma("application_id", APPLICATION_ID)
            writer.pragma("user_version", SCHEMA_VERSION)
    else:
        for earlier in range(version, SCHEMA_VERSION):
            with writer:
                writer.execute(schema.MIGRATIONS[earlier])
                writer.pragma("user_version", earlier + 1)
    writer.execute(schema.EVENT_DELETED)
    text_index.prepare(writer)
