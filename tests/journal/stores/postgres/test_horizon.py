"""A reader of everything gets no place before all lower places are decided."""

from __future__ import annotations

import threading

import psycopg
import pytest

from hubbub.errors import StorageError
from hubbub.journal.stores.contract import Batch
from hubbub.journal.stores.postgres import reader
from hubbub.journal.stores.postgres.store import PostgresStore
from tests.journal.tally import record

INSERT = "INSERT INTO event (stream, seq, type, by, body) VALUES (99, %s, 'added', 'bob', '{}')"


@pytest.fixture
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    assert reader.UNSETTLED_SECONDS_MAX > reader.SHORT_PAGE_SECONDS_MAX
    monkeypatch.setattr(reader, "UNSETTLED_SECONDS_MAX", 0.02)
    monkeypatch.setattr(reader, "SHORT_PAGE_SECONDS_MAX", 0.02)


@pytest.mark.usefixtures("_impatient")
def test_an_event_waits_for_an_open_transaction_that_has_a_lower_place(
    store: PostgresStore, database: psycopg.Connection
) -> None:
    store.commit(Batch([record("room/1", 1)]))
    assert store.last_place() == 1
    with database.transaction():
        database.execute(INSERT, [1])
        store.commit(Batch([record("room/1", 2)]))
        between = [placed.place for placed in store.committed(0, 9)]
        with pytest.raises(StorageError, match="does not end"):
            store.committed(1, 9)
        with pytest.raises(StorageError, match="does not end"):
            store.last_place()

    assert between == [1]
    assert [placed.place for placed in store.committed(1, 9)] == [2, 3]
    assert store.last_place() == 3


@pytest.mark.usefixtures("_impatient")
def test_an_open_transaction_that_writes_no_events_is_not_waited_for(
    store: PostgresStore, database: psycopg.Connection
) -> None:
    with database.transaction():
        database.execute("SELECT pg_current_xact_id()")
        store.commit(Batch([record("room/1", 1)]))

        assert store.last_place() == 1
        assert len(store.committed(0, 9)) == 1


@pytest.mark.usefixtures("_impatient")
def test_a_later_transaction_that_is_open_is_not_waited_for(
    store: PostgresStore, database: psycopg.Connection
) -> None:
    store.commit(Batch([record("room/1", 1)]))
    assert store.last_place() == 1
    with database.transaction():
        database.execute("SELECT 1 FROM event")

        assert len(store.committed(0, 9)) == 1


def test_a_reader_is_told_as_soon_as_the_lower_place_is_decided(
    store: PostgresStore, database: psycopg.Connection
) -> None:
    found = list[int]()

    def read() -> None:
        found.extend(placed.place for placed in store.committed(0, 9))

    thread = threading.Thread(target=read)
    with database.transaction(force_rollback=True):
        database.execute(INSERT, [1])
        store.commit(Batch([record("room/1", 1)]))
        thread.start()
        thread.join(0.05)
        assert not found
    thread.join(5)

    assert found == [2]


def test_places_count_anew_on_another_server(store: PostgresStore) -> None:
    store.commit(Batch([record("room/1", 1)]))
    assert store.last_place() == 1
    store._horizon._server, store._horizon.settled = "another", 1_000

    assert store.last_place() == 1
