"""Connections to PostgreSQL: how they are made, and the pools that bound and replace them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from os import dup
from queue import Empty, LifoQueue
from socket import SHUT_RDWR, socket
from threading import BoundedSemaphore, Condition
from typing import Any, TypeVar

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.pq import TransactionStatus

from ....errors import Closed, Invalid, StorageError
from .arrays import register_arrays
from .reasons import database_name, refusal_of

__all__ = ["ConnectionPool", "PostgresConnection", "connect_postgres"]

T = TypeVar("T")

OLDEST_SERVER = 150_000
# How long a thread waits for a connection that others use, in seconds.
WAIT_SECONDS_MAX = 10.0
# How long closing waits for calls that are still running, in seconds.
CLOSE_SECONDS_MAX = 5.0
# A network that swallows everything is noticed within about ten seconds.
NETWORK: Mapping[str, str | int] = {
    "connect_timeout": 3,
    "keepalives": 1,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
    "application_name": "hubbub",
    "target_session_attrs": "read-write",
}
# All queries look up keys. Without this, one plan for all values reads whole tables.
SESSION = {
    "timezone": "UTC",
    "jit": "off",
    "enable_seqscan": "off",
    "enable_bitmapscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "max_parallel_workers_per_gather": "0",
    "plan_cache_mode": "force_generic_plan",
}
TRANSACTION_TIMEOUT_SERVER = 170_000
# psycopg must not prepare by itself: what is prepared in a pipeline that fails is lost.
NEVER = 1 << 30


def _is_not_an_echo(record: logging.LogRecord) -> bool:
    return not str(record.msg).startswith("error ignored terminating")


# When a statement of a pipeline fails, psycopg warns that those after it fail too.
logging.getLogger("psycopg").addFilter(_is_not_an_echo)


class PostgresConnection:
    """
    A connection, and the server that it leads to.

    Args:
        raw: the connection, in autocommit.
        server: another value means that the server was restarted, or is another.
    """

    def __init__(self, raw: psycopg.Connection, server: str) -> None:
        self.raw = raw
        self.server = server
        # A writer's own: see ``doubt``.
        self.writer = 0
        self.number = 0

    def run(self, query: str, *values: Any) -> psycopg.Cursor[Any]:
        """Execute a statement that is prepared the first time, with ``%b`` for each value."""
        return self.raw.execute(query, values, prepare=True, binary=True)

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """Execute a query as :meth:`run` does, and fetch all its rows."""
        return self.run(query, *values).fetchall()

    @contextmanager
    def pipeline(self) -> Iterator[None]:
        """Send all statements of the block at once, and fetch their results at its end."""
        with self.raw.pipeline() as pipeline:
            pipeline._exit_gen = partial(_sync_and_fetch, pipeline)  # type: ignore[method-assign]
            yield

    def roll_back(self) -> bool:
        """End the transaction, if any, and return whether the connection can be used again."""
        server = self.raw.pgconn
        if server.transaction_status != TransactionStatus.IDLE:
            # psycopg's own forgets all prepared statements.
            with suppress(psycopg.Error):
                server.exec_(b"ROLLBACK")
        return server.transaction_status == TransactionStatus.IDLE

    def cut(self) -> None:
        """Let whatever another thread does with the connection fail."""
        with suppress(OSError, psycopg.Error), socket(fileno=dup(self.raw.fileno())) as own:
            own.shutdown(SHUT_RDWR)

    def close(self) -> None:
        """Close it; the server rolls back what was not committed."""
        self.raw.close()


def _sync_and_fetch(pipeline: psycopg.Pipeline) -> Generator[Any, Any, None]:
    # psycopg's own sends a flush after the sync. The server takes that for a sign of life: it
    # stops the clock of idle_in_transaction_session_timeout, and does not start it again.
    try:
        pipeline._enqueue_sync()
        yield from pipeline._communicate_gen()
    finally:
        yield from pipeline._fetch_gen(flush=False)


def connect_postgres(
    url: str, settings: Mapping[str, str], *, transaction_seconds: int | None = None
) -> PostgresConnection:
    """
    Connect.

    Args:
        url: ``postgresql://user:password@host:port/database``, with any options of libpq.
        settings: of the session, in addition to the common settings.
        transaction_seconds: no transaction lasts longer, where the server can see to it.

    Raises:
        Invalid: the URL is wrong, or the server is too old.
        StorageError: the server cannot be reached.
    """
    name = database_name(url)
    given = conninfo_to_dict(url)
    added = {key: value for key, value in NETWORK.items() if given.get(key) is None}
    try:
        raw = psycopg.connect(make_conninfo(url, **added), autocommit=True)
    except psycopg.Error as error:
        raise refusal_of(error, url) from error
    try:
        if raw.info.server_version < OLDEST_SERVER:
            found, wanted = raw.info.server_version // 10_000, OLDEST_SERVER // 10_000
            raise Invalid(f"{name} has version {found}; Hubbub needs {wanted} or newer.")
        raw.prepare_threshold = NEVER
        register_arrays(raw)
        chosen = {**SESSION, **settings}
        if transaction_seconds and raw.info.server_version >= TRANSACTION_TIMEOUT_SERVER:
            chosen["transaction_timeout"] = f"{transaction_seconds}s"
        raw.execute("; ".join([f"SET {key} = '{value}'" for key, value in chosen.items()]))
        rows = raw.execute("SELECT pg_postmaster_start_time()::text").fetchall()
    except BaseException:
        raw.close()
        raise
    return PostgresConnection(raw, str(rows[0][0]))


class ConnectionPool:
    """
    Up to a number of connections, each of which one thread uses at a time.

    Args:
        make: connects.
        size: the most connections at a time.
    """

    def __init__(self, make: Callable[[], PostgresConnection], size: int) -> None:
        self._make = make
        self._free = BoundedSemaphore(size)
        self._idle: LifoQueue[PostgresConnection] = LifoQueue()
        self._changed = Condition()
        self._taken = set[PostgresConnection]()
        self._closed = False

    def take(self) -> PostgresConnection:
        """
        Return a connection that nobody else uses until :meth:`give`.

        Raises:
            StorageError: all are in use for too long, or the server cannot be reached.
        """
        if not self._free.acquire(timeout=WAIT_SECONDS_MAX):
            raise StorageError("All connections to the database are in use; try again.")
        try:
            try:
                taken = self._idle.get_nowait()
            except Empty:
                taken = self._make()
        except BaseException:
            self._free.release()
            raise
        with self._changed:
            if self._closed:
                taken.close()
                self._free.release()
                raise Closed("The store is closed.")
            self._taken.add(taken)
        return taken

    def give(self, taken: PostgresConnection, *, whole: bool) -> None:
        """
        Return a connection to the pool.

        Args:
            taken: the connection.
            whole: False if it failed: then it is closed, and another is made when needed.
        """
        with self._changed:
            self._taken.discard(taken)
            self._changed.notify_all()
            if whole and not self._closed and not taken.raw.closed:
                self._idle.put(taken)
            else:
                taken.close()
        self._free.release()

    def begin(
        self, first: Callable[[PostgresConnection], T], *, again: bool = True
    ) -> tuple[PostgresConnection, T]:
        """
        Take a connection, and do something with it; if it turns out to be lost, with a new one.

        The server may have been restarted since, or have ended the idle connection.

        Args:
            first: called with a connection; it must do no harm if it is done twice.
            again: False if a new connection is not tried.

        Returns:
            The connection, for :meth:`give`, and what ``first`` has returned.
        """
        taken = self.take()
        try:
            return taken, first(taken)
        except BaseException as error:
            whole = taken.roll_back()
            self.give(taken, whole=whole)
            if whole or not again or not isinstance(error, psycopg.OperationalError):
                raise
        self.drop_idle()
        return self.begin(first, again=False)

    def retried(self, work: Callable[[PostgresConnection], T]) -> T:
        """Do all work as :meth:`begin` does, and return the connection to the pool."""
        taken, value = self.begin(work)
        self.give(taken, whole=True)
        return value

    def drop_idle(self) -> None:
        """Close the idle connections, because another connection was lost."""
        while True:
            try:
                self._idle.get_nowait().close()
            except Empty:
                return

    def close(self) -> None:
        """
        Wait until no thread uses a connection, and close all.

        Raises:
            StorageError: some thread does not finish; its connection is cut.
        """
        with self._changed:
            self._closed = True
            unused = self._changed.wait_for(lambda: not self._taken, CLOSE_SECONDS_MAX)
            # To close a connection while another thread uses it would crash the process.
            for taken in self._taken:
                taken.cut()
        self.drop_idle()
        if not unused:
            raise StorageError("The database does not answer.")
