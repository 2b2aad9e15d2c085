"""Closes a SQLite database so that its file is unlocked whatever the disk does."""

from __future__ import annotations

from contextlib import suppress

import apsw

from ...errors import StorageError
from .database_file import DatabaseFile

__all__ = ["abandon", "close_writer"]


def close_writer(writer: apsw.Connection, file: DatabaseFile) -> None:
    """
    Close the last connection, and unlock the file after that.

    Raises:
        StorageError: the disk failed while SQLite moved its log into the database. The file is
            unlocked.
    """
    try:
        writer.close()
    except apsw.Error as error:
        raise StorageError(
            f"The disk failed while the database {file.path} was closed: {error}. Nothing "
            "committed is lost: the log beside the database still has it, so keep both files."
        ) from error
    finally:
        file.release()


def abandon(writer: apsw.Connection | None, file: DatabaseFile) -> None:
    """Unlock a file that could not be opened to the end, and close its connection before that."""
    with suppress(apsw.Error):
        # The error that matters is the one before.
        if writer is not None:
            writer.close()
    file.release()
