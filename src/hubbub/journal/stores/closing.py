"""Closes the connections of a SQLite database, and unlocks its file whatever the disk does."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack, suppress
from queue import Empty, SimpleQueue
from typing import TypeVar

import apsw

from ...errors import StorageError
from .database_file import DatabaseFile

__all__ = ["abandon", "close_all", "take_all"]

T = TypeVar("T")


def close_all(connections: Sequence[apsw.Connection], file: DatabaseFile) -> None:
    """
    Close connections in order, all of them even if some fail, and unlock the file after that.

    Raises:
        StorageError: the disk failed, perhaps while SQLite moved its log into the database. The
            file is unlocked.
    """
    try:
        with ExitStack() as closing:
            closing.callback(file.release)
            for connection in reversed(connections):
                closing.callback(connection.close)
    except apsw.Error as error:
        raise StorageError(
            f"The disk failed while the database {file.path} was closed: {error}. Nothing "
            "committed is lost: the log beside the database still has it, so keep both files."
        ) from error


def abandon(writer: apsw.Connection | None, file: DatabaseFile) -> None:
    """Close and unlock a database that could not be opened; another error says why."""
    with suppress(StorageError):
        close_all([] if writer is None else [writer], file)


def take_all(queue: SimpleQueue[T], count: int, timeout: float) -> list[T]:
    """
    Take a number of items from a queue, or none of them.

    Args:
        queue: the items.
        count: how many there are, in the queue or in use.
        timeout: seconds to wait for each.

    Raises:
        Empty: an item stays in use.
    """
    taken: list[T] = []
    try:
        while len(taken) < count:
            taken.append(queue.get(timeout=timeout))
    except Empty:
        for item in taken:
            queue.put(item)
        raise
    return taken
