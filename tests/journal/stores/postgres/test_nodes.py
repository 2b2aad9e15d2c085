"""Which nodes live."""

from __future__ import annotations

import psycopg
import pytest

from hubbub.errors import Conflict
from hubbub.journal.stores.postgres.store import PostgresStore


def test_a_node_knows_of_the_others_and_how_long_they_have_been_silent(
    store: PostgresStore, other: PostgresStore, database: psycopg.Connection
) -> None:
    store.beat("1", "one", "0.4", leaving=False)
    database.execute("UPDATE node SET seen = seen - interval '10 seconds'")
    one, two = other.beat("2", "two", "0.5", leaving=True)

    assert (one.id, one.name, one.version, one.leaving) == ("1", "one", "0.4", False)
    assert (two.id, two.name, two.version, two.leaving) == ("2", "two", "0.5", True)
    assert 10 <= one.silent < 20
    assert 0 <= two.silent < 5


def test_a_node_that_has_been_silent_for_long_is_forgotten(
    store: PostgresStore, database: psycopg.Connection
) -> None:
    store.beat("1", "one", "0.4", leaving=False)
    database.execute("UPDATE node SET seen = seen - interval '61 minutes'")
    database.execute("INSERT INTO writer VALUES (-1, 1, now() - interval '8 days')")
    found = store.beat("2", "two", "0.4", leaving=False)

    assert [node.id for node in found] == ["2"]
    assert not database.execute("SELECT 1 FROM writer WHERE id = -1").fetchall()


def test_no_other_id_is_taken_while_a_node_lives(
    store: PostgresStore, other: PostgresStore, database: psycopg.Connection
) -> None:
    before, secret = store.journal_id, store.secret
    other.beat("1", "one", "0.4", leaving=False)
    other.beat("2", "two", "0.4", leaving=True)
    with pytest.raises(Conflict, match=r"database: one\. Stop it first"):
        store.adopt("another", "key")

    assert (store.journal_id, store.secret) == (before, secret)
    other.beat("1", "one", "0.4", leaving=True)
    store.adopt(before, secret)
    other.beat("3", "three", "0.4", leaving=False)
    database.execute("UPDATE node SET seen = seen - interval '10 seconds'")
    store.adopt(before, secret)
