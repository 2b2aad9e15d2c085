"""An empty PostgreSQL database, and stores that share it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import psycopg
import pytest

from hubbub.journal.stores.postgres.store import PostgresStore
from tests.journal.stores.kinds import emptied, kept_store

OpenStore = Callable[[], PostgresStore]


@pytest.fixture
def url(request: pytest.FixtureRequest) -> str:
    return emptied(request)


@pytest.fixture
def opened(url: str) -> Iterator[OpenStore]:
    """Open a further store on the database."""
    stores = list[PostgresStore]()

    def open_one() -> PostgresStore:
        stores.append(PostgresStore(url))
        return stores[-1]

    yield open_one
    for store in stores:
        store.close()


@pytest.fixture
def store(request: pytest.FixtureRequest, url: str) -> PostgresStore:
    return kept_store(request, 0)


@pytest.fixture
def other(request: pytest.FixtureRequest, url: str) -> PostgresStore:
    return kept_store(request, 1)


@pytest.fixture
def database(store: PostgresStore, url: str) -> Iterator[psycopg.Connection]:
    """Connect to the database of the store, without Hubbub."""
    with psycopg.connect(url, autocommit=True) as connection:
        yield connection
