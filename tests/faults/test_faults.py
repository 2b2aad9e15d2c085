"""A disk that fails, is full, or does not answer."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import apsw
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubbub.chat.service import Chat
from hubbub.errors import Closed, StorageError
from hubbub.ids import Ids
from hubbub.journal.actor import Actor
from hubbub.journal.command import Call
from hubbub.journal.event import Event, Streams, encode_event
from hubbub.journal.journal import Journal
from hubbub.journal.stores.contract import Batch, Record, Store
from hubbub.journal.stores.memory import MemoryStore
from hubbub.journal.stores.sqlite import SQLiteStore
from hubbub.ratelimit import SlidingWindow
from hubbub.settings import Settings
from tests.features import STREAMS as HUB_STREAMS
from tests.journal.tally import (
    CHARGES_MAX,
    NOON,
    STREAMS,
    Added,
    add,
    doubt,
    move,
    numbers,
    open_journal,
    together,
    total,
)
from tests.journal.troubled import FailingStore, FullStore, GatedStore

IMPATIENT = Settings(commit_seconds_max=0.2)


@pytest.fixture
def failing(tmp_path: Path) -> Iterator[FailingStore]:
    store = FailingStore(tmp_path / "hubbub.db")
    yield store
    store.close()


@pytest.fixture
def full(tmp_path: Path) -> Iterator[FullStore]:
    store = FullStore(tmp_path / "hubbub.db")
    yield store
    store.close()


@asynccontextmanager
async def chat_on(store: Store, settings: Settings) -> AsyncIterator[Chat]:
    """Ann's commands for rooms and messages, on a given store."""
    journal = Journal(
        store, Streams(HUB_STREAMS), settings, lambda what: SlidingWindow(1_000, 60, what)
    )
    async with journal:
        ids = Ids(settings.clock, settings.random)
        yield Chat(Actor(journal, settings, ids, "ann", "user"))


def kinds(outcomes: list[Any]) -> list[type]:
    return [type(outcome) for outcome in outcomes]


# A commit that fails


async def test_a_commit_that_fails_fails_all_that_was_in_it(failing: FailingStore) -> None:
    async with open_journal(failing) as journal:
        await together(journal, add("tally/1", 1), add("tally/2", 1))
        failing.failures = 1
        outcomes = await together(journal, *[add(f"tally/{n % 2 + 1}", 1) for n in range(10)])
        sums = await together(journal, total("tally/1"), total("tally/2"))

    assert kinds(outcomes) == [StorageError] * 10
    assert sums == [1, 1]


async def test_who_only_read_what_was_not_kept_is_told_so(failing: FailingStore) -> None:
    async with open_journal(failing) as journal:
        await journal.execute(add("tally/1", 1))
        failing.failures = 1
        outcomes = await together(journal, add("tally/1", 1), total("tally/1"))

    assert kinds(outcomes) == [StorageError] * 2


async def test_it_goes_on_where_it_was_when_the_disk_is_well_again(failing: FailingStore) -> None:
    async with open_journal(failing) as journal:
        await journal.execute(add("tally/1", 1))
        failing.failures = 3
        outcomes = [(await together(journal, add("tally/1", 1)))[0] for _ in range(5)]

        assert kinds(outcomes) == [StorageError] * 3 + [int] * 2
        assert outcomes[3:] == [2, 3]
        assert numbers(await journal.read("tally/1", 0, 9)) == [1, 2, 3]


async def test_a_key_that_was_not_kept_may_be_used_again(failing: FailingStore) -> None:
    async with open_journal(failing) as journal:
        failing.failures = 1
        with pytest.raises(StorageError):
            await journal.execute(add("tally/1", 5, key="key"))
        again = [await journal.execute(add("tally/1", 5, key="key")) for _ in range(2)]

        assert again == [1, 1]
        assert await journal.execute(total("tally/1")) == 5


async def test_what_was_about_a_message_is_forgotten_with_it(failing: FailingStore) -> None:
    async with open_journal(failing) as journal:
        await journal.execute(add("tally/1", 1))
        await journal.execute(doubt("tally/1", 1, by="bob"))
        failing.failures = 1
        with pytest.raises(StorageError):
            await journal.execute(doubt("tally/1", 1, by="ann"))

        assert await journal.execute(doubt("tally/1", 1, by="ann")) == 2


async def test_what_was_not_kept_is_not_charged_for(failing: FailingStore) -> None:
    async with open_journal(failing) as journal:
        failing.failures = 1
        charged = [add("tally/1", 1, charged=True)] * CHARGES_MAX
        first = await together(journal, *charged)
        second = await together(journal, *charged)

    assert kinds(first) == [StorageError] * CHARGES_MAX
    assert kinds(second) == [int] * CHARGES_MAX


async def test_followers_see_nothing_of_what_was_not_kept(failing: FailingStore) -> None:
    async with open_journal(failing) as journal, journal.follow("ann", "tally/1", 0) as events:
        await journal.execute(add("tally/1", 1))
        failing.failures = 1
        with pytest.raises(StorageError):
            await journal.execute(add("tally/1", 66))
        await journal.execute(add("tally/1", 2))

        with anyio.fail_after(5):
            got = [await anext(events), await anext(events)]
    assert [(event.seq, event.data) for event in got] == [(1, Added(1)), (2, Added(2))]


async def test_a_snapshot_that_was_not_kept_is_taken_again(failing: FailingStore) -> None:
    async with open_journal(failing) as journal:
        await together(journal, *[add("tally/1", 1)] * 256)
        failing.failures = 1
        with pytest.raises(StorageError):
            await journal.execute(add("tally/1", 1))
        before = await journal.query(failing.load, "tally/1")
        await journal.execute(add("tally/1", 1))
        after = await journal.query(failing.load, "tally/1")

    assert (before.snapshot, len(before.bodies)) == (None, 256)
    assert after.snapshot is not None
    assert (after.snapshot.seq, after.bodies) == (257, [])


class FlakyStore(MemoryStore):
    """Fails as planned, commit by commit."""

    def __init__(self, fails: list[bool]) -> None:
        super().__init__()
        self.fails = fails

    def commit(self, batch: Batch) -> None:
        if self.fails and self.fails.pop():
            raise StorageError("Not this time.")
        super().commit(batch)


amounts = st.lists(st.tuples(st.integers(1, 3), st.integers(1, 3), st.integers(-3, 9)), max_size=6)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@given(st.lists(amounts, max_size=5), st.lists(st.booleans(), max_size=5))
def test_memory_is_what_the_store_is_whatever_fails(
    backend: str, batches: list[list[tuple[int, int, int]]], fails: list[bool]
) -> None:
    anyio.run(_run_flaky, batches, fails, backend=backend)


async def _run_flaky(batches: list[list[tuple[int, int, int]]], fails: list[bool]) -> None:
    store, acknowledged = FlakyStore(fails), 0
    async with open_journal(store) as journal:
        for batch in batches:
            commands = [move(f"tally/{one}", f"tally/{two}", amount) for one, two, amount in batch]
            acknowledged += kinds(await together(journal, *commands)).count(int)
        names = ["tally/1", "tally/2", "tally/3"]
        sums = await together(journal, *map(total, names))

    stored = [[STREAMS.decode(body) for body in store.read(name, 0, 999)] for name in names]
    assert sum(map(len, stored)) == 2 * acknowledged
    folded = [sum(e.data.amount for e in s if isinstance(e.data, Added)) for s in stored]
    assert sums == folded
    assert [e.seq for s in stored for e in s] == [n for s in stored for n in range(1, len(s) + 1)]


# A full disk


async def test_a_full_disk_loses_nothing_that_was_acknowledged(full: FullStore) -> None:
    async with open_journal(full) as journal:
        before = await together(journal, *[add("tally/1", 1, text="before " * 50)] * 10)
        await anyio.to_thread.run_sync(full.fill_up)
        during = await together(journal, *[add("tally/1", 1, text="during " * 200)] * 50)
        read = numbers(await journal.read("tally/1", 0, 99))
        await anyio.to_thread.run_sync(full.make_room)
        after = await together(journal, *[add("tally/1", 1, text="after")] * 10)
        found = await journal.searching(journal.store.search, "tally/1", ["after"], 99, 99)

    assert before == read == list(range(1, 11))
    assert kinds(during) == [StorageError] * 50
    assert after == list(range(11, 21))
    assert found == after[::-1]


async def test_a_hub_may_be_opened_on_a_full_disk_and_read(full: FullStore) -> None:
    texts = [" ".join(f"word{n}x{seq}" for n in range(200)) for seq in range(1, 21)]
    batch = Batch([said(seq, text) for seq, text in enumerate(texts, 1)])
    await anyio.to_thread.run_sync(full.commit, batch)
    full.fill_up()
    async with open_journal(full) as journal:
        for _ in range(2):
            # The index is behind, and cannot grow.
            with pytest.raises(StorageError, match="full"):
                await journal.searching(journal.store.search, "tally/1", ["word7x7"], 99, 99)

        assert await journal.execute(total("tally/1")) == 20
        assert len(await journal.read("tally/1", 0, 99)) == 20

        await anyio.to_thread.run_sync(full.make_room)
        assert await journal.searching(journal.store.search, "tally/1", ["word7x7"], 99, 99) == [7]


def said(seq: int, text: str) -> Record:
    event = Event("tally/1", seq, NOON, "ann", None, Added(1, text))
    return Record("tally/1", seq, "added", "ann", None, encode_event(event))


async def test_a_chat_goes_on_after_the_disk_was_full(full: FullStore) -> None:
    settings = Settings(message_limit=1_000)
    async with chat_on(full, settings) as chat:
        room = await chat.create_room("Python Chat")
        first = await chat.send(room.id, "before", key="1")
        await anyio.to_thread.run_sync(full.fill_up)
        with pytest.raises(StorageError, match="full"):
            await chat.send(room.id, "x" * 4_000, key="2")
        kept = await chat.history(room.id)
        await anyio.to_thread.run_sync(full.make_room)
        second = await chat.send(room.id, "x" * 4_000, key="2")

        assert kept == [first]
        assert second.seq == first.seq + 1
        assert await chat.history(room.id) == [first, second]
        assert await chat.send(room.id, "before", key="1") == first


# A disk that does not answer


async def test_a_commit_that_takes_too_long_fails() -> None:
    store = GatedStore()
    store.before_commit.shut()
    async with open_journal(store, IMPATIENT) as journal:
        with pytest.raises(StorageError, match=r"did not answer for 0\.2 s"):
            await journal.execute(add("tally/1", 1))
        store.open_all()


async def test_who_waits_behind_a_commit_that_takes_too_long_is_told() -> None:
    store = GatedStore()
    async with open_journal(store, IMPATIENT) as journal:
        await journal.execute(add("tally/1", 1))
        store.before_commit.shut()
        calls = [Call(add("tally/1", 1)) for _ in range(2)]
        journal.submit(calls[0])
        await store.before_commit.reached()
        journal.submit(calls[1])
        with pytest.raises(StorageError):
            await journal.execute(add("tally/1", 1))
        store.open_all()

    assert kinds([call.error for call in calls]) == [StorageError] * 2


async def test_a_journal_that_gave_up_is_left_at_once() -> None:
    store = GatedStore()
    with anyio.fail_after(5):
        async with open_journal(store, IMPATIENT) as journal:
            store.before_commit.shut()
            with pytest.raises(StorageError):
                await journal.execute(add("tally/1", 1))
    store.open_all()


async def test_a_database_that_somebody_holds_locked_does_not_block_the_hub(tmp_path: Path) -> None:
    path = tmp_path / "hubbub.db"
    store = await anyio.to_thread.run_sync(SQLiteStore, path)
    intruder = apsw.Connection(str(path))
    async with open_journal(store, IMPATIENT) as journal:
        await journal.execute(add("tally/1", 1))
        intruder.execute("BEGIN IMMEDIATE")
        with anyio.fail_after(5):
            with pytest.raises(StorageError):
                await journal.execute(add("tally/1", 1))
            assert numbers(await journal.read("tally/1", 0, 9)) == [1]
    intruder.execute("ROLLBACK")
    intruder.close()
    await anyio.to_thread.run_sync(store.close)

    again = await anyio.to_thread.run_sync(SQLiteStore, path)
    async with open_journal(again) as journal:
        assert await journal.execute(add("tally/1", 1)) in (2, 3)
    await anyio.to_thread.run_sync(again.close)


async def test_an_index_that_takes_too_long_is_given_up() -> None:
    store = GatedStore()
    async with open_journal(store, IMPATIENT) as journal:
        await journal.execute(add("tally/1", 1, text="one"))
        store.before_catch_up.shut()
        with anyio.fail_after(5):
            with pytest.raises(StorageError, match="did not answer"):
                await journal.searching(journal.store.search, "tally/1", ["one"], 9, 9)
            with pytest.raises(StorageError, match="did not answer"):
                await journal.execute(add("tally/1", 1))
    store.open_all()


async def test_who_searches_when_the_hub_is_left_is_not_left_waiting() -> None:
    store, told = GatedStore(), list[type]()

    async def search(journal: Journal) -> None:
        try:
            await journal.searching(journal.store.search, "tally/1", ["one"], 9, 9)
        except (Closed, StorageError) as error:
            told.append(type(error))

    with anyio.fail_after(5):
        async with anyio.create_task_group() as tasks, open_journal(store, IMPATIENT) as journal:
            store.before_catch_up.shut()
            tasks.start_soon(search, journal)
            await store.before_catch_up.reached()
    store.open_all()

    assert len(told) == 1
