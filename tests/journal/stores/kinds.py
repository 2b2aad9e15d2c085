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

__all__ = ["STORES", "emptied", "store_of"]

STORES = ["memory", "sqlite", "postgres"]
TABLES = "event, stream, used, snapshot, charged, node, writer"


@contextmanager
def store_of(kind: str, folder: Path, request: pytest.FixtureRequest) -> Iterator[Store]:
    """Open an empty store of a kind, until the exit."""
    store: Store
    if kind == "memory":
        store = MemoryStore()
    elif kind == "sqlite":
        store = SQLiteStore(folder / "hubbub.db")
    else:
        store = PostgresStore(emptied(request))
    yield store
    store.close()


def emptied(request: pytest.FixtureRequest) -> str:
    """Return the URL of the database of this run's tests, without anything in it."""
    url: str = request.getfixturevalue("postgres_url")
    with psycopg.connect(url, autocommit=True) as connection:
        if connection.execute("SELECT to_regclass('event')").fetchone() != (None,):
            connection.execute(f"TRUNCATE {TABLES}")
            connection.execute("ALTER SEQUENCE event_place RESTART")
    return url
