"""The stores that one suite is for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from hubbub.journal.stores.contract import Store
from hubbub.journal.stores.memory import MemoryStore
from hubbub.journal.stores.postgres.store import PostgresStore
from hubbub.journal.stores.sqlite import SQLiteStore

__all__ = ["STORES", "emptied", "kept_store", "store_of"]

STORES = ["memory", "sqlite", "postgres"]
EMPTY = """
DELETE FROM event; DELETE FROM stream; DELETE FROM used; DELETE FROM snapshot;
DELETE FROM charged; DELETE FROM node; DELETE FROM writer;
ALTER SEQUENCE event_place RESTART;
"""


@contextmanager
def store_of(kind: str, folder: Path, request: pytest.FixtureRequest) -> Iterator[Store]:
    """Open an empty store of a kind, until the exit."""
    if kind == "postgres":
        emptied(request)
        yield kept_store(request, 0)
        return
    store: Store = MemoryStore() if kind == "memory" else SQLiteStore(folder / "hubbub.db")
    yield store
    store.close()


def kept_store(request: pytest.FixtureRequest, number: int) -> PostgresStore:
    """Return one of the stores that the tests of this run share; to open one takes 100 ms."""
    stores: list[PostgresStore] = request.getfixturevalue("postgres_stores")
    while len(stores) <= number:
        stores.append(PostgresStore(request.getfixturevalue("postgres_url")))
    store = stores[number]
    # What it remembers was deleted.
    store._ids.clear()
    store._horizon.settled, store._horizon._candidate = 0, None
    store._writers.unindexed = store._next = 0
    return store


def emptied(request: pytest.FixtureRequest) -> str:
    """Return the URL of the database of this run's tests, without anything in it."""
    url: str = request.getfixturevalue("postgres_url")
    with psycopg.connect(url, autocommit=True) as connection:
        if connection.execute("SELECT to_regclass('event')").fetchone() != (None,):
            # To truncate them makes some 80 new files, which takes longer than most tests.
            connection.execute(EMPTY)
    return url
