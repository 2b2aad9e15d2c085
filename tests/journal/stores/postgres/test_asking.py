"""The news that a node gets before it decides."""

from __future__ import annotations

from datetime import UTC

import psycopg
import pytest

from hubbub.journal.stores.contract import Batch, Stale
from hubbub.journal.stores.postgres import asking
from hubbub.journal.stores.postgres.asking import STREAM_IDS_MAX, StreamIds
from hubbub.journal.stores.postgres.store import PostgresStore
from hubbub.journal.stores.sharing import NEWS_EVENTS_MAX, Wanted
from tests.journal.tally import record


def test_a_node_is_told_of_the_events_that_it_does_not_know(
    store: PostgresStore, other: PostgresStore
) -> None:
    records = [record(name, seq) for name in ("room/1", "room/2") for seq in (1, 2, 3)]
    store.commit(Batch(records))
    news = other.news(Wanted({"room/1": 1, "room/3": 0}, {"room/2": 3}))
    held = other.hold(Wanted({"room/1": 1, "room/3": 0}, {"room/2": 2}))
    held.release()

    assert news.bodies == {"room/1": [records[1].body, records[2].body]}
    assert held.news.bodies == {**news.bodies, "room/2": [records[5].body]}
    assert news.at is not None
    assert news.at.tzinfo is UTC


def test_a_state_that_is_far_behind_gets_a_bounded_part(
    store: PostgresStore, other: PostgresStore
) -> None:
    store.commit(Batch([record("room/1", seq) for seq in range(1, NEWS_EVENTS_MAX + 3)]))

    assert len(other.news(Wanted({"room/1": 0})).bodies["room/1"]) == NEWS_EVENTS_MAX
    assert len(other.news(Wanted({"room/1": 1})).bodies["room/1"]) == NEWS_EVENTS_MAX


def test_a_node_that_knows_more_than_the_database_must_decide_again(store: PostgresStore) -> None:
    store.commit(Batch([record("room/1", 1)]))
    for ask in (store.hold, store.news):
        with pytest.raises(Stale):
            ask(Wanted({"room/1": 2}))


def test_an_id_that_now_is_another_streams_is_forgotten(
    store: PostgresStore, database: psycopg.Connection
) -> None:
    store.commit(Batch([record("room/1", 1)]))
    store.hold(Wanted({"room/1": 1})).release()
    database.execute("UPDATE stream SET name = 'room/2'")
    with pytest.raises(Stale):
        store.hold(Wanted({"room/1": 1}))
    held = store.hold(Wanted({"room/2": 1}))
    held.commit(Batch([record("room/2", 2)]))

    assert store.heads(["room/1", "room/2"]) == {"room/2": 2}


def test_ids_are_forgotten_when_they_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    assert STREAM_IDS_MAX >= 10_000
    monkeypatch.setattr(asking, "STREAM_IDS_MAX", 2)
    ids = StreamIds()
    for number in range(9):
        ids.learn([(f"room/{number}", number)])

    assert len(ids) <= 3
    assert ids["room/8"] == 8
