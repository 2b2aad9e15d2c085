"""What goes wrong below a store, told as one kind of error and without a path."""

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

# The message goes to clients, so it says what to look at and never where that is.
REASONS: dict[type[Exception], str] = {
    apsw.FullError: "its disk is full",
    apsw.ReadOnlyError: "it cannot be written to",
    apsw.PermissionsError: "the server may not use it",
    apsw.CorruptError: "its file is damaged",
    apsw.NotADBError: "its file is damaged",
    apsw.BusyError: "another program uses it",
    apsw.LockedError: "another program uses it",
    apsw.NoMemError: "there is not enough memory",
    apsw.CantOpenError: "its file cannot be opened",
    apsw.IOError: "its disk cannot be read or written",
}


def failure_of(error: Exception, log_name: str) -> StorageError:
    """
    Make the error that callers get.

    Args:
        error: what was raised.
        log_name: what failed, for the log: clients are not told.
    """
    reason = REASONS.get(type(error), "the server's log says why")
    failure = StorageError(f"The database failed: {reason}. Nothing of this command was kept.")
    failure.add_note(f"{log_name}: {error!r}")
    return failure


@contextmanager
def failing(log_name: str) -> Iterator[None]:
    """Turn whatever is raised within into a StorageError; see :func:`failure_of`."""
    try:
        yield
    except HubbubError:
        raise
    except Exception as error:
        raise failure_of(error, log_name) from error


def storage_errors(method: Callable[P, R]) -> Callable[P, R]:
    """
    Let a store's method raise nothing but HubbubErrors.

    The store's ``log_name`` names it in the log. What a method yields is made later: wrap
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
