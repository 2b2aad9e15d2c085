"""A hub opens a store of the application's own, and its chance comes from the settings."""

from __future__ import annotations

import random
import threading
from pathlib import Path

import pytest

import hubbub
from hubbub import Invalid, StorageError
from hubbub.server import Gateway
from hubbub.stores import Batch, MemoryStore, SQLiteStore, Store
from tests.server.memory_socket import Client
from tests.session.worlds import SetClock


class CountingStore(MemoryStore):
    """Counts the commits, and remembers the thread that made it, and whether it was closed."""

    def __init__(self) -> None:
        super().__init__()
        self.made_in = threading.current_thread()
        self.commits = 0
        self.closed = False

    def commit(self, batch: Batch) -> None:
        super().commit(batch)
        self.commits += 1

    def close(self) -> None:
        super().close()
        self.closed = True


async def test_a_hub_writes_to_the_store_that_it_is_given_and_closes_it() -> None:
    store = CountingStore()
    async with hubbub.open(store=store) as hub, hub.session("ann"):
        assert not store.closed

    assert store.commits > 0
    assert store.closed


async def test_a_function_makes_the_store_in_a_worker_thread() -> None:
    made = list[CountingStore]()

    def make() -> Store:
        made.append(CountingStore())
        return made[-1]

    async with hubbub.open(store=make) as hub, hub.session("ann"):
        pass

    [store] = made
    assert store.made_in is not threading.current_thread()
    assert store.closed


async def test_nothing_is_made_before_the_hub_is_entered() -> None:
    def make() -> Store:
        pytest.fail("the hub is not entered")

    assert not hubbub.open(store=make).is_open


async def test_an_error_of_the_function_reaches_the_caller() -> None:
    def fail() -> Store:
        raise StorageError("There is no such disk.")

    with pytest.raises(StorageError, match="no such disk"):
        async with hubbub.open(store=fail):
            pytest.fail("there is no store")


async def test_a_url_and_a_store_are_refused() -> None:
    with pytest.raises(Invalid, match="not both"):
        hubbub.open("memory://", store=MemoryStore())


@pytest.mark.parametrize("url", ["memory://", "hubbub.db"])
async def test_the_same_seed_makes_the_same_journal_and_the_same_tokens(
    tmp_path: Path, url: str
) -> None:
    def url_of(run: int) -> str:
        (tmp_path / str(run)).mkdir()
        return url if url == "memory://" else str(tmp_path / str(run) / url)

    runs = [await journal_and_tokens(url_of(number), seed) for number, seed in enumerate([7, 7, 8])]

    assert runs[0] == runs[1]
    assert not set(runs[0]) & set(runs[2])


def test_both_stores_make_the_same_of_a_seed(tmp_path: Path) -> None:
    memory = MemoryStore(random.Random(7))
    sqlite = SQLiteStore(tmp_path / "hubbub.db", random.Random(7))
    sqlite.close()

    assert (sqlite.journal_id, sqlite.secret) == (memory.journal_id, memory.secret)
    assert (len(memory.journal_id), len(memory.secret)) == (32, 64)


def test_without_a_seed_every_journal_is_another() -> None:
    one, other = MemoryStore(), MemoryStore()

    assert one.journal_id != other.journal_id
    assert one.secret != other.secret


async def journal_and_tokens(url: str, seed: int) -> tuple[str, str, str]:
    """Sign a guest in; return the id of the journal, and the guest's tokens."""
    settings = hubbub.Settings(clock=SetClock(), random=random.Random(seed))
    async with hubbub.open(url, settings=settings) as hub:
        client = Client(Gateway(hub))
        answer = (await client.ask("session.sign_in", nickname="Ann"))["result"]
        return answer["journal_id"], answer["token"], answer["refresh_token"]
