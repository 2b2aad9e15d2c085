"""Statements are prepared once, before the first pipeline."""

from __future__ import annotations

import pytest

from hubbub.journal.stores.contract import Batch, Stale, Used
from hubbub.journal.stores.postgres.store import PostgresStore
from hubbub.journal.stores.sharing import Wanted
from tests.journal.stores.postgres.conftest import OpenStore
from tests.journal.tally import record

COUNT = "SELECT count(*) FROM pg_prepared_statements"
LIMIT = ("messages", "ann")


def test_no_batch_prepares_a_statement(opened: OpenStore) -> None:
    # Of a store that is new: a rollback in another test lets psycopg forget the statements.
    store, counts = opened(), list[int]()
    for seq in range(1, 4):
        everything = Wanted({"room/1": seq - 1}, {"room/2": 0}, [("ann", str(seq))], [LIMIT])
        held = store.hold(everything)
        assert held._connection is not None
        connection = held._connection.raw
        used = Used("ann", str(seq), b"", (("room/1", seq),), seq)
        text = record("room/1", seq, ref=1, text="hello")
        batch = Batch([text], [used], superseded=[("room/1", seq)], limits={LIMIT: b"1"})
        held.commit(batch)
        counts += connection.execute(COUNT, prepare=False).fetchone() or ()

    assert len(set(counts)) == 1
    assert store.heads(["room/1"]) == {"room/1": 3}


def test_a_conflict_keeps_the_connection_and_its_statements(
    store: PostgresStore, other: PostgresStore
) -> None:
    one, two = store.hold(Wanted({"room/1": 0})), other.hold(Wanted({"room/1": 0}))
    assert two._connection is not None
    raw = two._connection.raw
    before = raw.execute(COUNT, prepare=False).fetchone()
    one.commit(Batch([record("room/1", 1)]))
    with pytest.raises(Stale):
        two.commit(Batch([record("room/1", 1)]))
    again = other.hold(Wanted({"room/1": 0}))
    assert again._connection is not None
    same = again._connection.raw
    again.commit(Batch([record("room/1", 2)]))

    assert same is raw
    assert raw.execute(COUNT, prepare=False).fetchone() == before


def test_a_batch_that_only_reads_prepares_nothing(store: PostgresStore) -> None:
    reader = store._readers.take()
    before = reader.raw.execute(COUNT, prepare=False).fetchone()
    store._readers.give(reader, whole=True)
    store.news(Wanted({"room/1": 0}, {"room/2": 0}, [("ann", "1")], [LIMIT]))
    same = store._readers.take()
    after = same.raw.execute(COUNT, prepare=False).fetchone()
    store._readers.give(same, whole=True)

    assert same is reader
    assert before == after
