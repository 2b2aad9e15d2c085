"""Connections that are lost are replaced, and there are never too many."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import psycopg
import pytest

from hubbub.errors import Closed, Invalid, StorageError
from hubbub.journal.stores.contract import Batch, Snapshot
from hubbub.journal.stores.postgres import connection
from hubbub.journal.stores.postgres.connection import ConnectionPool, connect_postgres
from hubbub.journal.stores.postgres.store import READERS_MAX, PostgresStore
from hubbub.journal.stores.sharing import Wanted
from tests.journal.stores.postgres.conftest import OpenStore
from tests.journal.tally import NOON, record


def read_together(store: PostgresStore) -> None:
    with store.reading():
        store.read("room/1", 0, 9)


USES: list[Callable[[PostgresStore], object]] = [
    lambda store: store.read("room/1", 0, 9),
    lambda store: store.search("room/1", ["a"], 9, 9),
    lambda store: store.committed(0, 9),
    lambda store: store.last_place(),
    lambda store: store.hold(Wanted({"room/1": 1})).release(),
    lambda store: store.news(Wanted({"room/1": 1})),
    lambda store: store.beat("1", "one", "0", leaving=False),
    lambda store: store.check(),
    lambda store: store.expire(0),
    lambda store: store.keep([Snapshot("room/1", 1, NOON, b"{}")]),
    read_together,
]


@pytest.mark.parametrize("use", USES)
def test_a_lost_connection_is_replaced(
    store: PostgresStore, database: psycopg.Connection, use: Callable[[PostgresStore], object]
) -> None:
    store.commit(Batch([record("room/1", 1)]))
    use(store)
    end_all(database)

    use(store)


def end_all(database: psycopg.Connection) -> None:
    """End the connections of all stores, and wait until they are gone."""
    others = "FROM pg_stat_activity WHERE application_name = 'hubbub'"
    database.execute(f"SELECT pg_terminate_backend(pid) {others}")
    while database.execute(f"SELECT 1 {others}").fetchall():
        pass


def test_a_pool_makes_only_so_many_connections(
    opened: OpenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert connection.WAIT_SECONDS_MAX > 1
    monkeypatch.setattr(connection, "WAIT_SECONDS_MAX", 0.01)
    store = opened()
    taken = [store._readers.take() for _ in range(READERS_MAX)]
    with pytest.raises(StorageError, match="in use"):
        store.read("room/1", 0, 1)
    for one in taken:
        store._readers.give(one, whole=True)

    assert store.read("room/1", 0, 1) == []


def test_a_connection_that_cannot_be_made_takes_no_place(url: str) -> None:
    def fail() -> connection.PostgresConnection:
        raise StorageError("It is away.")

    pool = ConnectionPool(fail, 1)
    for _ in range(2):
        with pytest.raises(StorageError, match="away"):
            pool.take()


def test_a_closed_store_refuses(opened: OpenStore) -> None:
    store = opened()
    store.close()
    with pytest.raises(Closed):
        store.read("room/1", 0, 1)


def test_closing_waits_for_whoever_uses_a_connection(opened: OpenStore) -> None:
    store, done = opened(), list[str]()
    held = store.hold(Wanted({"room/1": 0}))

    def commit() -> None:
        time.sleep(0.05)
        held.commit(Batch([record("room/1", 1)]))
        done.append("committed")

    thread = threading.Thread(target=commit)
    thread.start()
    store.close()
    done.append("closed")
    thread.join(5)

    assert done == ["committed", "closed"]


def test_a_call_that_does_not_return_is_cut_at_closing(
    opened: OpenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert connection.CLOSE_SECONDS_MAX > 1
    monkeypatch.setattr(connection, "CLOSE_SECONDS_MAX", 0.05)
    store, errors = opened(), list[BaseException]()
    reader = store._readers.take()

    def sleep() -> None:
        try:
            reader.raw.execute("SELECT pg_sleep(60)")
        except psycopg.Error as error:
            errors.append(error)
        store._readers.give(reader, whole=False)

    thread = threading.Thread(target=sleep)
    thread.start()
    with pytest.raises(StorageError, match="does not answer"):
        store.close()
    thread.join(5)

    assert errors


def test_an_old_server_is_refused(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "OLDEST_SERVER", 990_000)
    with pytest.raises(Invalid, match="needs 99 or newer"):
        connect_postgres(url, {})


def test_a_failover_list_needs_the_server_that_can_be_written_to(url: str) -> None:
    made = connect_postgres(url, {"default_transaction_read_only": "on"})
    made.close()
    with pytest.raises(StorageError, match="primary"):
        connect_postgres(f"{url}?options=-cdefault_transaction_read_only%3Don", {})
