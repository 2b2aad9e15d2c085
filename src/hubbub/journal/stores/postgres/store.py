"""A store in a PostgreSQL database."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from random import Random, SystemRandom
from threading import Lock

import psycopg
from psycopg.errors import LockNotAvailable
from psycopg.types.numeric import Int8

from ....errors import HubbubError, Invalid, StorageError
from ...cluster.bus import Bus
from ...cluster.bus_url import open_notify_bus
from ..contract import Batch, ErasurePlan, Snapshot, Stale
from ..sharing import News, NodeRecord, Wanted
from . import statements as sql
from .arrays import Texts
from .asking import ask_and_lock, ask_only
from .batches import seqs_before
from .connection import ConnectionPool, PostgresConnection, connect_postgres
from .erasing import overwrite_events, rewrite_tables
from .holding import PostgresHold, Writers
from .keeping import keep_snapshots
from .nodes import beat_node, refuse_live_nodes
from .reader import PostgresReader
from .reasons import database_name, postgres_errors
from .schema import PARTITIONS, migrate_postgres
from .stopped import HOLDER_SECONDS_MAX, end_stopped_holders

__all__ = ["PostgresStore"]

logger = logging.getLogger("hubbub.journal")

# Connections of one store that read at the same time; a further read waits for one of them.
READERS_MAX = 4
# Connections of one store that write, or hold streams, at the same time.
WRITERS_MAX = 4
# Used keys, and limits, that are removed at once: a few milliseconds.
EXPIRED_MAX = 2_000
# The server ends a transaction that lasts longer, from PostgreSQL 17 on.
TRANSACTION_SECONDS_MAX = 10
WRITING = {
    "lock_timeout": f"{HOLDER_SECONDS_MAX}s",
    "idle_in_transaction_session_timeout": f"{HOLDER_SECONDS_MAX}s",
}
# A reader locks nothing; a thread that folds a long state may take its time.
READING = {"idle_in_transaction_session_timeout": "60s"}
# Whether a node lives need not survive power loss.
BEATING = {**WRITING, "synchronous_commit": "off"}
# Fewer new events are not worth a round trip to each partition; a search finds them anyway.
UNINDEXED_MIN = 500
SYNCHRONOUS = """
SELECT set_config('synchronous_commit', 'on', false)
WHERE current_setting('synchronous_commit') = 'off'
"""
ERASING_LOCK_TIMEOUT = "10s"
# A node waits while another makes or changes the tables.
MIGRATING = {"lock_timeout": "60s"}
NEXT_WRITER = "SELECT nextval('writer_id')"
JOURNAL_ID = "SELECT value FROM meta WHERE name = 'journal_id'"
# A materialized part is selected once; a join could select other rows for each row.
EXPIRE = """
WITH old AS MATERIALIZED (
    SELECT by, key FROM used WHERE at < %b ORDER BY at LIMIT %b FOR UPDATE SKIP LOCKED
)
DELETE FROM used USING old WHERE used.by = old.by AND used.key = old.key
"""
# No limit looks back so far.
EXPIRE_LIMITS = """
DELETE FROM charged WHERE ctid = ANY(ARRAY(
    SELECT ctid FROM charged WHERE at < clock_timestamp() - interval '2 days'
    LIMIT %b FOR UPDATE SKIP LOCKED
))
"""
LOCK_NODES = "LOCK TABLE node IN EXCLUSIVE MODE"
ADOPT = """
UPDATE meta SET value = k.value FROM unnest(ARRAY['journal_id', 'secret'], %b) k(name, value)
WHERE meta.name = k.name
"""
CHECK = "INSERT INTO meta VALUES ('checked', '') ON CONFLICT (name) DO UPDATE SET value = ''"
INDEX = "SELECT gin_clean_pending_list('event_words_{}'::regclass)"


class PostgresStore(PostgresReader):
    """
    Events, keys, snapshots, limits and the index of words in a PostgreSQL database.

    Any number of stores, on any number of machines, may use the same database.

    Args:
        url: ``postgresql://user:password@host:port/database``; the tables are made if necessary.
        random: where the id and the secret of a new journal come from; by default the operating
            system.

    Raises:
        Invalid: the URL is wrong, or the server refuses it.
        StorageError: the server cannot be reached, or the database is not a Hubbub database.
    """

    blocking = True
    shared = True

    def __init__(self, url: str, random: Random | None = None) -> None:
        self._url = url
        name = database_name(url)
        pool = ConnectionPool(self._connect_writer, WRITERS_MAX)
        self._writers = Writers(pool, lambda: self._connect(BEATING), name)
        readers = ConnectionPool(self._connect_reader, READERS_MAX)
        super().__init__(readers, self._writers.ids, name)
        self._beating = ConnectionPool(lambda: self._connect(BEATING), 1)
        # The server that ids were learnt from.
        self._server = ""
        # The partition whose index is next.
        self._next = 0
        self._indexing = Lock()
        self.journal_id, self.secret = self._prepare(random or SystemRandom())

    @postgres_errors
    def hold(self, wanted: Wanted) -> PostgresHold:
        """Lock streams and limits, and return what others have written; see the contract."""
        pool = self._writers.pool
        try:
            connection, answer = pool.begin(lambda writer: ask_and_lock(writer, wanted, self._ids))
        except LockNotAvailable:
            self._end_stopped_holders()
            raise
        return PostgresHold(connection, answer, self._writers)

    @postgres_errors
    def news(self, wanted: Wanted) -> News:
        """Return what others have written, as :meth:`hold` does, and lock nothing."""
        return self._readers.retried(lambda reader: ask_only(reader, wanted, self._ids)).news

    def commit(self, batch: Batch) -> None:
        """Write a batch as one transaction; see the contract."""
        before = seqs_before(batch)
        held = self.hold(Wanted(streams=before, limits=list(batch.limits)))
        if held.news.bodies:
            held.release()
            raise Stale
        held.commit(batch, snapshots=True)

    @postgres_errors
    def keep(self, snapshots: Sequence[Snapshot]) -> None:
        """Write snapshots, each unless its stream has a newer one already."""

        def keep(writer: PostgresConnection) -> None:
            with writer.raw.transaction():
                keep_snapshots(writer, snapshots)

        self._writers.pool.retried(keep)

    @postgres_errors
    def beat(self, node: str, name: str, version: str, *, leaving: bool) -> list[NodeRecord]:
        """Tell that a node lives, or leaves; see the contract."""
        record = NodeRecord(node, name, version, 0.0, leaving)
        return self._beating.retried(lambda connection: beat_node(connection, record))

    @postgres_errors
    def catch_up(self) -> bool:
        """Merge the words of one more partition into its index; return whether more are left."""
        with self._indexing:
            if self._next == 0 and self._writers.unindexed < UNINDEXED_MIN:
                return False
            if self._next == 0:
                self._writers.unindexed = 0
            merge = INDEX.format(self._next)
            self._writers.pool.retried(lambda writer: writer.raw.execute(merge))
            self._next = (self._next + 1) % PARTITIONS
            return self._next > 0

    @postgres_errors
    def expire(self, before: int) -> bool:
        """Remove some expired keys; return whether more are left."""

        def expire(writer: PostgresConnection) -> bool:
            keys = writer.run(EXPIRE, Int8(before), Int8(EXPIRED_MAX)).rowcount
            limits = writer.run(EXPIRE_LIMITS, Int8(EXPIRED_MAX)).rowcount
            return EXPIRED_MAX in (keys, limits)

        return self._writers.pool.retried(expire)

    @postgres_errors
    def check(self) -> None:
        """Write a dummy value, or raise."""
        self._writers.pool.drop_idle()
        self._writers.pool.retried(lambda writer: writer.raw.execute(CHECK))

    def new_bus(self) -> Bus:
        """Return a bus that this server carries itself, by NOTIFY, on connections of its own."""
        return open_notify_bus(self._url, self.journal_id)

    @postgres_errors
    def adopt(self, journal_id: str, secret: str) -> None:
        """
        Be the journal of this id from now on, and sign tokens with its secret.

        Raises:
            Conflict: a node runs, which would keep the id that it knows.
        """

        def adopt(writer: PostgresConnection) -> None:
            with writer.raw.transaction():
                # No node begins to live from here to the commit.
                writer.run(LOCK_NODES)
                refuse_live_nodes(writer)
                writer.run(ADOPT, Texts([journal_id, secret]))

        self._writers.pool.retried(adopt)
        self.journal_id, self.secret = journal_id, secret

    @postgres_errors
    def erase(self, plan: ErasurePlan) -> None:
        """Overwrite events, and leave no copy in the tables; see :func:`overwrite_events`."""
        # A writer's connection ends transactions that last.
        connection = self._connect({"lock_timeout": ERASING_LOCK_TIMEOUT})
        try:
            overwrite_events(connection, plan)
            rewrite_tables(connection)
        finally:
            connection.close()

    def close(self) -> None:
        """
        Wait for running calls, and close every connection.

        Raises:
            StorageError: a call does not return; its connection is cut.
        """
        with ExitStack() as stack:
            for pool in (self._readers, self._writers.pool, self._beating):
                stack.callback(pool.close)

    @postgres_errors
    def _prepare(self, random: Random) -> tuple[str, str]:
        connection = connect_postgres(self._url, MIGRATING)
        try:
            return migrate_postgres(connection.raw, random, self.log_name)
        except psycopg.errors.InsufficientPrivilege as error:
            raise Invalid(
                f"The user of {self.log_name} lacks a right; let it make tables: "
                "GRANT USAGE, CREATE ON SCHEMA public TO its name."
            ) from error
        except LockNotAvailable as error:
            raise StorageError(
                f"Another node is changing the tables of {self.log_name}; try again."
            ) from error
        finally:
            connection.close()

    def _connect(
        self, settings: Mapping[str, str], *, transaction_seconds: int | None = None
    ) -> PostgresConnection:
        try:
            made = connect_postgres(self._url, settings, transaction_seconds=transaction_seconds)
        except HubbubError as error:
            # Clients see it, so it does not say where the database is.
            failure = StorageError("The database cannot be reached; try again.")
            failure.add_note(str(error))
            raise failure from error
        try:
            if made.rows(JOURNAL_ID) != [(self.journal_id,)]:
                raise StorageError("The database holds another journal now; restart Hubbub.")
        except BaseException:
            made.close()
            raise
        if made.server != self._server:
            # After a failover that lost commits, an id may be another stream's.
            self._server = made.server
            self._ids.clear()
        return made

    def _connect_writer(self) -> PostgresConnection:
        made = self._connect(WRITING, transaction_seconds=TRANSACTION_SECONDS_MAX)
        # An acknowledged commit is durable, whatever the database's defaults are.
        made.raw.execute(SYNCHRONOUS)
        [(made.writer,)] = made.rows(NEXT_WRITER)
        sql.prepare_writer(made)
        return made

    def _connect_reader(self) -> PostgresConnection:
        made = self._connect(READING)
        sql.prepare_reader(made)
        return made

    def _end_stopped_holders(self) -> None:
        try:
            self._readers.retried(end_stopped_holders)
        except psycopg.Error as error:
            logger.warning("could not end a transaction that holds locks: %s", error)
