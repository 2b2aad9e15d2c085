"""Failures below a store, as one kind of error and without a path."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import ParamSpec, TypeVar

import apsw

from ...errors import HubbubError, StorageError

__all__ = ["failing", "failure_of", "storage_errors"]

P = ParamSpec("P")
R = TypeVar("R")

# The message goes to clients, so it says what to check and never where that is.
REASONS: dict[type[Exception], str] = {
    apsw.FullError: "its disk is full",
    apsw.ReadOnlyError: "it is read-only",
    apsw.PermissionsError: "the server has no permission to use it",
    apsw.CorruptError: "its file is damaged",
    apsw.NotADBError: "its file is damaged",
    apsw.BusyError: "another program is using it",
    apsw.LockedError: "another program is using it",
    apsw.NoMemError: "there is not enough memory",
    apsw.CantOpenError: "its file cannot be opened",
    apsw.IOError: "its disk cannot be read or written",
}


def failure_of(error: Exception, log_name: str) -> StorageError:
    """
    Make the error for callers.

    Args:
        error: the exception.
        log_name: the name of the database for the log; clients do not see it.
    """
    reason = REASONS.get(type(error), "see the server's log for the reason")
    failure = StorageError(f"The database failed: {reason}. Nothing of this command was written.")
    failure.add_note(f"{log_name}: {error!r}")
    return failure


@contextmanager
def failing(log_name: str) -> Iterator[None]:
    """Raise any exception in the block as a StorageError; see :func:`failure_of`."""
    try:
        yield
    except HubbubError:
        raise
    except Exception as error:
        raise failure_of(error, log_name) from error


def storage_errors(method: Callable[P, R]) -> Callable[P, R]:
    """
    Make a store's method raise only HubbubErrors.

    The store's ``log_name`` is its name in the log. This does not cover what a method yields: wrap
    that in :func:`failing`.
    """

    @wraps(method)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return method(*args, **kwargs)
        except HubbubError:
            raise
        except Exception as error:
            raise failure_of(error, str(getattr(args[0], "log_name", args[0]))) from error

    return wrapped
