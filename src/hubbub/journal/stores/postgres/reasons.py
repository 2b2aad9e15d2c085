"""Failures of PostgreSQL, each as one sentence that says what to do, and never with a password."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import ParamSpec, TypeVar

import psycopg
from psycopg.conninfo import conninfo_to_dict

from ....errors import HubbubError, Invalid, StorageError
from ..contract import Stale

__all__ = [
    "database_name",
    "means_again",
    "postgres_errors",
    "postgres_failing",
    "refusal_of",
]

P = ParamSpec("P")
R = TypeVar("R")

# Another node was first, or holds a lock: a unique key, a serialization failure, a deadlock, a
# lock that was not to be had in time, a transaction that was kept for too long.
AGAIN = {"23505", "40001", "40P01", "55P03", "25P03", "25P04"}
# The beginning of a SQLSTATE -> the reason for clients, which does not say where the database is.
REASONS = {
    "53100": "its disk is full",
    "53200": "it has not enough memory",
    "53300": "it has too many connections",
    "53": "it has not enough resources",
    "42501": "its user lacks a right",
    "25006": "it is read-only",
    "57": "it is shutting down or starting",
    "08": "it cannot be reached",
    "XX": "it is damaged",
}
# A part of libpq's message while it connects, which has no SQLSTATE -> the advice.
REFUSALS: tuple[tuple[str, type[HubbubError], str], ...] = (
    (
        "password authentication failed",
        Invalid,
        "{name} refuses the password of {user}; correct the user or the password in the URL.",
    ),
    ("no password supplied", Invalid, "{name} wants a password for {user}; add it to the URL."),
    (
        "no pg_hba.conf entry",
        Invalid,
        "{name} does not let {user} in from this machine; add a line to its pg_hba.conf.",
    ),
    (
        "role",
        Invalid,
        "{name} knows no user {user}; correct the URL, or create it: createuser {user}",
    ),
    (
        "database",
        Invalid,
        "The server has no database {database}; correct the URL, or create it: createdb {database}",
    ),
    (
        "permission denied",
        Invalid,
        "{name} lacks a grant for {user}: GRANT CONNECT ON DATABASE {database} TO {user}.",
    ),
    (
        "read-only",
        StorageError,
        "{name} is a standby or read-only; give the address of the primary.",
    ),
    ("too many", StorageError, "{name} has too many connections; raise its max_connections."),
    (
        "does not support SSL",
        Invalid,
        "{name} has no TLS; set it up there, or change sslmode in the URL.",
    ),
    (
        "certificate",
        Invalid,
        "{name} has a certificate that cannot be verified; set sslrootcert in the URL.",
    ),
    ("starting up", StorageError, "{name} is still starting; try again."),
)
UNREACHABLE = "{name} cannot be reached; check the address, and that PostgreSQL runs there."
DOES_NOT_EXIST = {"role", "database"}


def database_name(url: str) -> str:
    """
    Return what the operator calls a database: without the user and the password.

    Raises:
        Invalid: the URL cannot be read.
    """
    given = _parts(url)
    host, port = given.get("host") or "this machine", given.get("port") or "5432"
    # Without a name, that of the user of this machine is meant.
    return f"the PostgreSQL database {_database(given)}".rstrip() + f" at {host}:{port}"


def refusal_of(error: psycopg.Error, url: str) -> HubbubError:
    """Return the error to raise if a connection cannot be made."""
    given, said = _parts(url), str(error)
    words = {
        "name": database_name(url),
        "user": str(given.get("user") or "the user"),
        "database": _database(given),
    }
    kind: type[HubbubError] = StorageError
    text = UNREACHABLE
    for part, known, sentence in REFUSALS:
        if part in said and (part not in DOES_NOT_EXIST or f'{part} "' in said):
            if part in DOES_NOT_EXIST and "does not exist" not in said:
                continue
            kind, text = known, sentence
            break
    sentence = text.format(**words)
    failure = kind(sentence[0].upper() + sentence[1:])
    failure.add_note(said.strip())
    return failure


def means_again(error: BaseException) -> bool:
    """Return whether an error only means that another was first."""
    return isinstance(error, psycopg.Error) and error.sqlstate in AGAIN


@contextmanager
def postgres_failing(log_name: str) -> Iterator[None]:
    """Raise any exception in the block as a HubbubError; ``log_name`` is not for clients."""
    try:
        yield
    except HubbubError:
        raise
    except Exception as error:
        if means_again(error):
            raise Stale from error
        failure = StorageError(
            f"The database failed: {_reason(error)}. Nothing of this command was written."
        )
        failure.add_note(f"{log_name}: {error!r}")
        raise failure from error


def postgres_errors(method: Callable[P, R]) -> Callable[P, R]:
    """Make a store's method raise only HubbubErrors; see :func:`postgres_failing`."""

    @wraps(method)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        with postgres_failing(str(getattr(args[0], "log_name", ""))):
            return method(*args, **kwargs)

    return wrapped


def _reason(error: Exception) -> str:
    state = (isinstance(error, psycopg.Error) and error.sqlstate) or ""
    for begin, reason in REASONS.items():
        if state.startswith(begin):
            return reason
    if isinstance(error, psycopg.OperationalError):
        return "it cannot be reached"
    return "see the server's log for the reason"


def _database(given: dict[str, object]) -> str:
    return str(given.get("dbname") or given.get("user") or "")


def _parts(url: str) -> dict[str, object]:
    try:
        return dict(conninfo_to_dict(url))
    except psycopg.ProgrammingError:
        # Its message may quote a part of the password.
        raise Invalid(
            "The database's URL cannot be read; it looks like "
            "postgresql://user:password@host:5432/database, with special characters as %XX."
        ) from None
