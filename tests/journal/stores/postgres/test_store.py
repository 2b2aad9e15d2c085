"""A PostgreSQL store beyond the contract of all stores."""

from __future__ import annotations

import psycopg
import pytest

from hubbub.errors import Invalid, StorageError
from hubbub.journal.stores.contract import Batch, Stale, Used
from hubbub.journal.stores.postgres import store as store_module
from hubbub.journal.stores.postgres.schema import PARTITIONS
from hubbub.journal.stores.postgres.store import (
    READERS_MAX,
    TRANSACTION_SECONDS_MAX,
    WRITERS_MAX,
    PostgresStore,
)
from hubbub.journal.stores.sharing import Wanted
from hubbub.journal.stores.url import open_store
from tests.journal.stores.postgres.conftest import OpenStore
from tests.journal.tally import record


def test_a_url_of_postgresql_opens_a_shared_store(url: str) -> None:
    for scheme in ("postgresql", "postgres"):
        store = open_store(url.replace("postgresql:", f"{scheme}:"))
        store.close()

        assert isinstance(store, PostgresStore)
        assert store.shared


def test_all_nodes_have_one_journal(store: PostgresStore, other: PostgresStore) -> None:
    assert store.journal_id == other.journal_id
    assert store.secret == other.secret


def test_events_of_another_store_are_written_where_it_ended(store: PostgresStore) -> None:
    store.commit(Batch([record("room/1", seq) for seq in (1, 2)]))
    with pytest.raises(Stale):
        store.commit(Batch([record("room/1", seq) for seq in (2, 3)]))
    store.commit(Batch([record("room/1", 3)]))

    assert store.heads(["room/1"]) == {"room/1": 3}


def test_words_are_merged_into_the_index_when_there_are_enough(
    store: PostgresStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_module, "UNINDEXED_MIN", 3)
    store.commit(Batch([record("room/1", 1, text="hello")]))
    first = store.catch_up()
    store.commit(Batch([record("room/1", seq, text="hello") for seq in (2, 3)]))
    rounds = 1
    while store.catch_up():
        rounds += 1

    assert not first
    assert rounds == PARTITIONS
    assert store.search("room/1", ["hel"], 9, 9) == [3, 2, 1]


def test_nodes_expire_keys_together(store: PostgresStore, other: PostgresStore) -> None:
    store.commit(Batch(used=[Used("ann", str(at), b"", (), at) for at in range(9)]))
    held = store.hold(Wanted(keys=[("ann", "1")]))
    other.expire(5)
    held.release()

    assert [used.at for used in store.keys(("", ""), 99)] == [5, 6, 7, 8]


def test_keys_expire_in_bounded_parts_whatever_the_plan(
    opened: OpenStore, database: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_module, "EXPIRED_MAX", 2)
    store = opened()
    store.commit(Batch(used=[Used("ann", "0", b"", (), 0)]))
    # The planner then believes that there is one key, and goes through the keys first.
    database.execute("VACUUM ANALYZE used")
    store.commit(Batch(used=[Used("ann", str(at), b"", (), at) for at in range(1, 9)]))
    rounds = 1
    while store.expire(99):
        rounds += 1

    assert rounds == 5


def test_the_connections_of_a_store_are_few_and_end_with_it(
    opened: OpenStore, database: psycopg.Connection
) -> None:
    count = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'hubbub'"
    [(others,)] = database.execute(count)
    store = opened()
    for _ in range(9):
        store.read("room/1", 0, 1)
        store.hold(Wanted({"room/1": 0})).release()
        store.beat("1", "one", "0", leaving=False)
    [(before,)] = database.execute(count)
    store.close()
    while database.execute(count).fetchone() != (others,):
        pass

    assert before - others == 3
    assert READERS_MAX + WRITERS_MAX < 10


def test_a_transaction_has_a_deadline_where_the_server_can_see_to_it(
    store: PostgresStore,
) -> None:
    held = store.hold(Wanted({"room/1": 0}))
    assert held._connection is not None
    raw = held._connection.raw
    if raw.info.server_version >= 170_000:
        assert raw.execute("SHOW transaction_timeout").fetchall() == [
            (f"{TRANSACTION_SECONDS_MAX}s",)
        ]
    assert raw.execute("SHOW idle_in_transaction_session_timeout").fetchall() == [("2s",)]
    held.release()


def test_a_commit_is_durable_whatever_the_database_says(url: str) -> None:
    store = PostgresStore(f"{url}?options=-csynchronous_commit%3Doff")
    held = store.hold(Wanted({"room/1": 0}))
    assert held._connection is not None
    found = held._connection.raw.execute("SHOW synchronous_commit").fetchall()
    held.release()
    store.close()

    assert found == [("on",)]


def test_clients_do_not_learn_where_a_database_is_that_is_away(url: str) -> None:
    store = PostgresStore(url)
    store._url = url.replace("hubbub:", "hubbub:x")
    for ask in (lambda: store.read("room/1", 0, 1), lambda: store.hold(Wanted({"room/1": 0}))):
        with pytest.raises(StorageError, match="cannot be reached") as caught:
            ask()

        assert "127.0.0.1" not in str(caught.value)
        assert "refuses the password" in caught.value.__notes__[0]
    store.close()


def test_an_unknown_url_is_refused_without_its_password() -> None:
    with pytest.raises(Invalid) as caught:
        open_store("mysql://ann:s3cret@here/chat")

    assert "s3cret" not in str(caught.value)


def test_a_limit_that_nobody_has_charged_for_days_is_forgotten(
    store: PostgresStore, url: str
) -> None:
    old, new = ("messages", "ann"), ("messages", "bob")
    store.commit(Batch(limits={old: b"1", new: b"1"}))
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("UPDATE charged SET at = at - interval '3 days' WHERE by = 'ann'")
    store.expire(0)

    assert store.news(Wanted(limits=[old, new])).limits.keys() == {new}
