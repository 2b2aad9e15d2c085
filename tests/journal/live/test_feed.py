from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import msgspec
import pytest
from anyio import to_thread

from hubbub.errors import Conflict, Invalid, StorageError
from hubbub.journal.event import Event, Streams
from hubbub.journal.journal import Journal
from hubbub.journal.link import Links
from hubbub.journal.live import feed as module
from hubbub.journal.live.feed import FEED_PAGE_BYTES_MAX, FEED_PAGE_EVENTS_MAX, Feed
from hubbub.journal.reading import FEED_READS_MAX
from hubbub.journal.stores.contract import Batch, PlacedEvent, Record, Store
from hubbub.journal.stores.memory import MemoryStore
from hubbub.journal.stores.sqlite import SQLiteStore
from hubbub.settings import Settings
from tests.journal.tally import (
    STREAMS,
    add,
    memory_store,
    new_limit,
    open_journal,
    publish,
    together,
)
from tests.journal.troubled import GatedStore

MANY = 10_000


class WatchedStore(GatedStore):
    """Notes how much each page asks for, and its reads stop at a gate."""

    def __init__(self) -> None:
        super().__init__()
        self.limits: list[int] = []

    def committed(self, after: int, limit: int) -> list[PlacedEvent]:
        self.limits.append(limit)
        self.before_read.go_through()
        return super().committed(after, limit)


@asynccontextmanager
async def sqlite_store(path: Path) -> AsyncIterator[SQLiteStore]:
    store = await to_thread.run_sync(SQLiteStore, path)
    yield store
    await to_thread.run_sync(store.close)


@pytest.fixture(params=["memory", "sqlite"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@asynccontextmanager
async def open_store(kind: str, folder: Path) -> AsyncIterator[Store]:
    if kind == "memory":
        yield memory_store()
    else:
        async with sqlite_store(folder / "hubbub.db") as store:
            yield store


def named(event: Event) -> tuple[str, int]:
    return event.stream, event.seq


async def take(feed: AsyncIterator[tuple[str, Event]], count: int) -> list[tuple[str, int]]:
    with anyio.fail_after(15):
        return [named((await anext(feed))[1]) for _ in range(count)]


async def test_all_events_of_all_streams_come_as_they_were_committed(
    kind: str, tmp_path: Path
) -> None:
    async with open_store(kind, tmp_path) as store, open_journal(store) as journal:
        await together(journal, add("tally/b", 1), add("tally/a", 1), add("tally/b", 1))
        await journal.execute(add("tally/a", 1))
        async with journal.feeds.open("") as feed:
            found = await take(feed, 4)

    assert found == [("tally/b", 1), ("tally/a", 1), ("tally/b", 2), ("tally/a", 2)]


async def test_without_a_position_it_begins_now(kind: str, tmp_path: Path) -> None:
    async with open_store(kind, tmp_path) as store, open_journal(store) as journal:
        await journal.execute(add("tally/1", 1))
        async with journal.feeds.open(None) as feed:
            await journal.execute(add("tally/1", 1))

            assert await take(feed, 1) == [("tally/1", 2)]


async def test_a_reader_that_waits_is_woken_once_for_each_batch() -> None:
    store = WatchedStore()
    # Without threads a task that is blocked waits for an event.
    store.blocking = False
    async with (
        open_journal(store) as journal,
        journal.feeds.open("") as feed,
        anyio.create_task_group() as tasks,
    ):
        tasks.start_soon(take, feed, 50)
        await anyio.wait_all_tasks_blocked()
        before = len(store.limits)
        await publish(journal, 50)

    assert len(store.limits) - before <= journal.measures.batches < 50


async def test_a_position_is_good_after_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "hubbub.db"
    async with sqlite_store(path) as store, open_journal(store) as journal:
        await publish(journal, 5)
        async with journal.feeds.open("") as feed:
            await take(feed, 2)
            position, _ = await anext(feed)
    async with sqlite_store(path) as store, open_journal(store) as journal:
        await publish(journal, 1)
        async with journal.feeds.open(position) as feed:
            found = await take(feed, 3)

    assert [seq for _, seq in found] == [4, 5, 6]


async def test_the_feed_knows_where_it_is() -> None:
    async with open_journal(memory_store()) as journal:
        await publish(journal, 3)
        async with journal.feeds.open(None) as feed:
            end = feed.position
        async with journal.feeds.open("") as feed:
            positions = [(await anext(feed))[0] for _ in range(3)]

            assert feed.position == positions[-1] == end
            assert len(set(positions)) == 3


@pytest.mark.parametrize(
    "nonsense", ["7", "@", "x@y", " ", "٣@" + "a" * 32, "-1@" + "a" * 32, "9" * 99, 7, b"", True]
)
async def test_what_is_no_position_is_refused(nonsense: str) -> None:
    async with open_journal(memory_store()) as journal:
        with pytest.raises(Invalid, match="is not a position"):
            # An empty one of another type is none as well.
            async with journal.feeds.open(nonsense or b"x"):  # type: ignore[arg-type]
                pass


async def test_a_position_of_another_journal_is_refused() -> None:
    async with open_journal(memory_store()) as journal, journal.feeds.open("") as feed:
        position = feed.position
    async with open_journal(memory_store()) as journal:
        with pytest.raises(Conflict, match="another journal"):
            async with journal.feeds.open(position):
                pass


async def test_a_position_past_the_end_is_refused() -> None:
    store = memory_store()
    async with open_journal(store) as journal, journal.feeds.open(None) as feed:
        await publish(journal, 1)
        position, _ = await anext(feed)
    other = memory_store()
    other.journal_id = store.journal_id
    async with open_journal(other) as journal:
        with pytest.raises(Conflict, match="history was reset"):
            async with journal.feeds.open(position):
                pass


async def test_a_kind_of_stream_that_is_not_known_is_passed_over() -> None:
    store = memory_store()
    async with open_journal(store) as journal:
        await together(journal, add("tally/1", 1), add("tally/1", 1), add("tally/2", 1))
    link = b'{"stream":"index/a","seq":1,"at":"2026-01-01T12:00:00Z","by":"ann","ref":null,'
    link += b'"type":"linked","to":"room/1"}'
    async with Journal(store, Streams({"index": Links}), Settings(), new_limit) as journal:
        async with journal.feeds.open("") as feed, anyio.create_task_group() as tasks:
            tasks.start_soon(take, feed, 1)
            await anyio.wait_all_tasks_blocked()
            store.commit(Batch(records=[Record("index/a", 1, "linked", "ann", None, link)]))
            journal.feeds.tell([journal.streams.decode(link)])
        position = feed.position
    async with open_journal(store) as journal, journal.feeds.open(position) as feed:
        await publish(journal, 1)

        assert await take(feed, 1) == [("tally/1", 3)]


async def test_an_event_that_cannot_be_read_fails_at_its_place() -> None:
    store = memory_store()
    async with open_journal(store) as journal:
        await publish(journal, 2)
        body = msgspec.json.encode({"stream": "tally/1", "seq": 3})
        store.commit(Batch(records=[Record("tally/1", 3, "added", "ann", None, body)]))
        async with journal.feeds.open("") as feed:
            before = await take(feed, 2)
            for _ in range(2):
                with pytest.raises(StorageError, match="verify"):
                    await anext(feed)

    assert before == [("tally/1", 1), ("tally/1", 2)]


# Back-pressure


async def test_a_slow_reader_holds_one_page_and_sees_all(kind: str, tmp_path: Path) -> None:
    async with open_store(kind, tmp_path) as store, open_journal(store) as journal:
        await publish(journal, 1)
        held = 0
        async with journal.feeds.open("") as feed:
            found = await take(feed, 1)
            for _ in range(MANY // 500):
                await publish(journal, 500)
            sleeping = len(feed._page)
            while len(found) <= MANY:
                found += await take(feed, 1)
                held = max(held, len(feed._page))

    assert found == [("tally/1", seq) for seq in range(1, MANY + 2)]
    assert sleeping == 1
    assert held == FEED_PAGE_EVENTS_MAX


async def test_a_page_has_a_limit_of_bytes() -> None:
    store, text = WatchedStore(), "x" * (FEED_PAGE_BYTES_MAX // 8)
    async with open_journal(store) as journal:
        await together(journal, *[add("tally/1", 1, text=text)] * 50)
        async with journal.feeds.open("") as feed:
            found = await take(feed, 50)
            page = feed._page

    assert found == [("tally/1", seq) for seq in range(1, 51)]
    assert sum(len(placed.body) for placed in page) <= FEED_PAGE_BYTES_MAX
    # Only the first page was read for more than fits.
    assert max(store.limits[1:]) <= 16


async def test_an_event_that_is_too_large_comes_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FEED_PAGE_BYTES_MAX", 1)
    async with open_journal(memory_store()) as journal:
        await publish(journal, 5)
        async with journal.feeds.open("") as feed:
            assert len(await take(feed, 5)) == 5


async def test_only_so_many_pages_are_read_at_one_time() -> None:
    store = WatchedStore()
    async with open_journal(store) as journal:
        await publish(journal, 1)
        store.before_read.shut()
        async with anyio.create_task_group() as tasks:
            for _ in range(3 * FEED_READS_MAX):
                tasks.start_soon(take_first, journal)
            await store.before_read.reached()
            await anyio.wait_all_tasks_blocked()
            reading = len(store.limits)
            store.open_all()

    assert reading <= FEED_READS_MAX
    assert len(store.limits) == 3 * FEED_READS_MAX


async def take_first(journal: Journal) -> None:
    async with journal.feeds.open("") as feed:
        await take(feed, 1)


# Many, and cancelled ones


async def test_many_readers_at_once_see_the_same() -> None:
    found: list[list[tuple[str, int]]] = []

    async def read(journal: Journal) -> None:
        async with journal.feeds.open("") as feed:
            found.append(await take(feed, 30))

    async with open_journal(memory_store()) as journal, anyio.create_task_group() as tasks:
        for _ in range(20):
            tasks.start_soon(read, journal)
        for _ in range(10):
            await together(journal, *(add(f"tally/{n}", 1) for n in range(3)))

    assert len(found) == 20
    assert all(one == found[0] for one in found)


async def test_two_tasks_that_share_a_feed_get_each_event_once(kind: str, tmp_path: Path) -> None:
    found: list[tuple[str, int]] = []

    async def read(feed: Feed, count: int) -> None:
        for _ in range(count):
            found.extend(await take(feed, 1))

    async with (
        open_store(kind, tmp_path) as store,
        open_journal(store) as journal,
        journal.feeds.open("") as feed,
        anyio.create_task_group() as tasks,
    ):
        for _ in range(2):
            tasks.start_soon(read, feed, 10)
        for _ in range(4):
            await publish(journal, 5)

    assert sorted(found) == [("tally/1", seq) for seq in range(1, 21)]


async def test_a_wait_that_is_cancelled_loses_nothing(kind: str, tmp_path: Path) -> None:
    async with (
        open_store(kind, tmp_path) as store,
        open_journal(store) as journal,
        journal.feeds.open("") as feed,
    ):
        for moments in range(6):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(anext, feed)
                for _ in range(moments):
                    await anyio.lowlevel.checkpoint()
                tasks.cancel_scope.cancel()
        await publish(journal, 3)

        assert await take(feed, 3) == [("tally/1", seq) for seq in (1, 2, 3)]


async def test_nothing_is_counted_while_nobody_reads() -> None:
    store = MemoryStore()
    async with open_journal(store) as journal:
        await publish(journal, 3)
        async with journal.feeds.open(None):
            await publish(journal, 1)
        await publish(journal, 3)

        assert journal.feeds.batches == 1


async def test_a_store_that_fails_is_told_and_the_feed_goes_on() -> None:
    class Broken(MemoryStore):
        broken = True

        def committed(self, after: int, limit: int) -> list[PlacedEvent]:
            if self.broken:
                raise StorageError("The disk is on fire.")
            return super().committed(after, limit)

    store = Broken()
    async with open_journal(store) as journal, journal.feeds.open("") as feed:
        await publish(journal, 2)
        with pytest.raises(StorageError, match="fire"):
            await anext(feed)
        store.broken = False

        assert await take(feed, 2) == [("tally/1", 1), ("tally/1", 2)]


def test_the_kind_of_an_event_is_known_by_its_bytes() -> None:
    assert STREAMS.kind_of(b'{"stream":"index/a"}') is Links
    assert STREAMS.kind_of(b'{"stream":"ticket/a"}') is None
