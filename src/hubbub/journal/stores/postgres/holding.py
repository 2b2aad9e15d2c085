"""
Holds streams and commits to them: two pipelines, each of one round trip.

The first begins a transaction, locks rows in an order that all nodes keep, and reads what
others have written, by a statement that begins after the locks were granted. The second writes
and commits. Nothing is locked in between, so no two nodes wait for each other.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import psycopg
from psycopg.types.numeric import Int8

from ..contract import Batch, Stale
from ..sharing import News
from . import statements as sql
from .arrays import Texts
from .asking import BatchNews, StreamIds
from .batches import check_seqs, event_arrays, limit_arrays, used_arrays
from .connection import ConnectionPool, PostgresConnection
from .doubt import was_committed
from .keeping import keep_snapshots
from .reasons import postgres_failing

__all__ = ["PostgresHold", "Writers"]


class Writers:
    """
    The common parts of a store's holds.

    Args:
        pool: of the connections that write.
        connect: makes a connection, to find out whether a commit was made.
        log_name: names the database to the operator.
    """

    def __init__(
        self, pool: ConnectionPool, connect: Callable[[], PostgresConnection], log_name: str
    ) -> None:
        self.pool = pool
        self.connect = connect
        self.log_name = log_name
        self.ids = StreamIds()
        # Events since the index of words was last completed.
        self.unindexed = 0


class PostgresHold:
    """
    A transaction that has begun; see :class:`hubbub.journal.stores.sharing.Hold`.

    Args:
        connection: in the transaction, taken from the pool of ``writers``.
        answer: what others have written, and what is locked.
        writers: gets the connection back.
    """

    def __init__(self, connection: PostgresConnection, answer: BatchNews, writers: Writers) -> None:
        self.news: News = answer.news
        self._connection: PostgresConnection | None = connection
        self._answer = answer
        self._writers = writers

    def commit(self, batch: Batch, *, snapshots: bool = False) -> None:
        """
        Write a batch and commit; see the contract.

        Args:
            batch: of events of held streams.
            snapshots: True to write its snapshots too.
        """
        connection = self._end()
        number = connection.number + 1
        whole = False
        try:
            with postgres_failing(self._writers.log_name):
                try:
                    self._write(connection, batch, number, snapshots=snapshots)
                    whole = True
                except Exception as error:
                    if not _in_doubt(error, connection):
                        whole = connection.roll_back()
                        raise
                    connection.close()
                    if not was_committed(self._writers.connect, connection.writer, number):
                        raise Stale from error
        finally:
            connection.number = number
            self._writers.pool.give(connection, whole=whole)
        self._writers.unindexed += len(batch.records)

    def release(self) -> None:
        """Release the locks, and write nothing."""
        if self._connection is None:
            return
        connection, whole = self._end(), False
        # The server may have ended it already; what is closed holds nothing.
        with suppress(psycopg.Error):
            connection.raw.execute("COMMIT")
            whole = True
        self._writers.pool.give(connection, whole=whole)

    def _end(self) -> PostgresConnection:
        if self._connection is None:
            raise Stale
        connection, self._connection = self._connection, None
        return connection

    def _write(
        self, connection: PostgresConnection, batch: Batch, number: int, *, snapshots: bool
    ) -> None:
        after = check_seqs(batch.records, self._answer.heads)
        if snapshots and batch.snapshots:
            keep_snapshots(connection, batch.snapshots)
        run = connection.run
        with connection.pipeline():
            if new := sorted(name for name in after if self._writers.ids.get(name) is None):
                run(sql.ADD_STREAMS, Texts(new))
            if batch.records:
                run(sql.ADD_EVENTS, *event_arrays(batch.records, self._writers.ids))
            for stream, seq in batch.superseded:
                run(sql.VOID_EVENT, stream, Int8(seq))
            if batch.used:
                run(sql.ADD_KEYS, *used_arrays(batch.used))
            self._write_limits(connection, batch)
            run(sql.NOTE_COMMIT, Int8(connection.writer), Int8(number))
            connection.raw.execute("COMMIT")

    def _write_limits(self, connection: PostgresConnection, batch: Batch) -> None:
        there = batch.limits.keys() & self.news.limits.keys()
        if there:
            connection.run(sql.SET_LIMITS, *limit_arrays(batch.limits, there))
        if new := batch.limits.keys() - there:
            connection.run(sql.ADD_LIMITS, *limit_arrays(batch.limits, new))


def _in_doubt(error: Exception, connection: PostgresConnection) -> bool:
    # An error that the server answered with, and that left the connection, undid everything; an
    # error of our own came before the end of the transaction was sent.
    is_unknown = isinstance(error, psycopg.Error) and error.sqlstate is None
    return is_unknown or connection.raw.closed
