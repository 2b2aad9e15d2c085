"""The tables are made once, and a database of another release is refused."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from random import Random

import psycopg
import pytest

from hubbub.errors import StorageError
from hubbub.journal.stores.contract import Batch
from hubbub.journal.stores.postgres import schema
from hubbub.journal.stores.postgres import store as store_module
from hubbub.journal.stores.postgres.schema import (
    PARTITIONS,
    POSTGRES_MIGRATIONS,
    POSTGRES_SCHEMA_VERSION,
    PostgresMigration,
)
from hubbub.journal.stores.postgres.store import PostgresStore
from tests.journal.tally import record


@pytest.fixture
def fresh(url: str) -> Iterator[str]:
    """Make a database without any tables."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE DATABASE fresh")
        yield url.replace("/postgres", "/fresh")
        connection.execute("DROP DATABASE fresh WITH (FORCE)")


def test_nodes_that_open_a_new_database_together_make_one_journal(fresh: str) -> None:
    stores = list[PostgresStore]()

    def open_one(number: int) -> None:
        stores.append(PostgresStore(fresh, Random(number)))

    threads = [threading.Thread(target=open_one, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    found = {(store.journal_id, store.secret) for store in stores}
    for store in stores:
        store.close()

    assert len(stores) == 4
    assert len(found) == 1


def test_a_migration_is_applied_once_and_keeps_what_is_there(
    fresh: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = PostgresStore(fresh)
    store.commit(Batch([record("room/1", 1)]))
    store.close()
    added = PostgresMigration(POSTGRES_SCHEMA_VERSION + 1, "9.9", "CREATE TABLE added (n int)")
    monkeypatch.setattr(schema, "POSTGRES_MIGRATIONS", (*POSTGRES_MIGRATIONS, added))
    monkeypatch.setattr(schema, "POSTGRES_SCHEMA_VERSION", added.version)
    for _ in range(2):
        again = PostgresStore(fresh)
        assert again.heads(["room/1"]) == {"room/1": 1}
        again.close()
    monkeypatch.undo()
    with pytest.raises(StorageError, match=r"Install Hubbub 9\.9 or newer"):
        PostgresStore(fresh)


@pytest.mark.parametrize("table", ["meta", "event"])
def test_tables_of_somebody_else_are_left_alone(fresh: str, table: str) -> None:
    with psycopg.connect(fresh, autocommit=True) as connection:
        connection.execute(f"CREATE TABLE {table} (key text, value text)")
        with pytest.raises(StorageError, match="database of its own"):
            PostgresStore(fresh)
        tables = "SELECT relname FROM pg_class WHERE relname IN ('event', 'stream')"
        found = connection.execute(tables).fetchall()

        assert found == ([("event",)] if table == "event" else [])


def test_a_database_that_cannot_keep_every_text_is_refused(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE DATABASE latin ENCODING LATIN1 LOCALE 'C' TEMPLATE template0")
        try:
            with pytest.raises(StorageError, match=r"^The .* LATIN1; make one with createdb"):
                PostgresStore(url.replace("/postgres", "/latin"))
        finally:
            connection.execute("DROP DATABASE latin WITH (FORCE)")


def test_a_node_waits_for_another_that_changes_the_tables(
    fresh: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    PostgresStore(fresh).close()
    monkeypatch.setattr(store_module, "MIGRATING", {"lock_timeout": "50ms"})
    with psycopg.connect(fresh) as other:
        other.execute("SELECT 1 FROM meta FOR UPDATE")
        with pytest.raises(StorageError, match="Another node is changing the tables"):
            PostgresStore(fresh)


def test_another_journal_in_the_same_place_is_refused(fresh: str) -> None:
    store = PostgresStore(fresh)
    with psycopg.connect(fresh, autocommit=True) as connection:
        connection.execute("UPDATE meta SET value = 'other' WHERE name = 'journal_id'")
    with pytest.raises(StorageError, match="another journal"):
        store.read("room/1", 0, 9)
    store.close()


def test_events_are_spread_over_partitions(database: psycopg.Connection) -> None:
    [(count,)] = database.execute(
        "SELECT count(*) FROM pg_inherits WHERE inhparent = 'event'::regclass"
    )

    assert count == PARTITIONS
