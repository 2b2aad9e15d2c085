"""How a feed ends: with its hub, or when it is left."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import anyio
import anyio.lowlevel
import pytest
from anyio import to_thread

from hubbub.errors import Closed
from hubbub.journal.command import Call
from hubbub.journal.journal import Journal
from hubbub.journal.live import feed as module
from hubbub.journal.live.feed import Feed
from hubbub.settings import Settings
from tests.journal.live.test_feed import WatchedStore, kind, open_store, take, take_first
from tests.journal.tally import add, memory_store, open_journal, publish

__all__ = ["kind"]


async def test_a_reader_that_waits_gets_what_is_durable_and_is_told_of_the_end(
    kind: str, tmp_path: Path
) -> None:
    found: list[tuple[str, int]] = []

    async def read(journal: Journal) -> None:
        async with journal.feeds.open("") as feed:
            with suppress(Closed):
                while True:
                    found.extend(await take(feed, 1))

    async with (
        open_store(kind, tmp_path) as store,
        anyio.create_task_group() as tasks,
        open_journal(store) as journal,
    ):
        tasks.start_soon(read, journal)
        with anyio.fail_after(5):
            # In a worker thread it is blocked, too, and does not wait for events yet.
            while journal.feeds._wake_up is None:
                await anyio.lowlevel.checkpoint()
        for _ in range(20):
            journal.submit(Call(add("tally/1", 1)))

    assert found == [("tally/1", seq) for seq in range(1, 21)]


async def test_a_reader_that_is_behind_gets_its_page_and_is_told_of_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "FEED_PAGE_EVENTS_MAX", 4)
    async with open_journal(memory_store()) as journal:
        await publish(journal, 9)
        async with journal.feeds.open("") as feed:
            await take(feed, 1)
            await journal.drain()
            rest = await take(feed, 3)
            with pytest.raises(Closed):
                await anext(feed)
            with pytest.raises(Closed):
                await take_first(journal)

    assert [seq for _, seq in rest] == [2, 3, 4]


async def test_leaving_waits_for_a_page_that_is_being_read() -> None:
    store = WatchedStore()
    async with anyio.create_task_group() as tasks:
        async with open_journal(store) as journal:
            await publish(journal, 1)
            store.before_read.shut()
            tasks.start_soon(take_first, journal)
            await store.before_read.reached()
            tasks.start_soon(to_thread.run_sync, store.open_all)

        assert not journal.feeds._busy


async def test_leaving_waits_only_so_long() -> None:
    store = WatchedStore()
    async with anyio.create_task_group() as tasks:
        async with open_journal(store, Settings(drain_seconds_max=0.01)) as journal:
            await publish(journal, 1)
            store.before_read.shut()
            tasks.start_soon(take_first, journal)
            await store.before_read.reached()
        ended = journal.feeds.ended
        store.open_all()

    assert ended


async def test_a_feed_that_was_left_is_told_so() -> None:
    async with open_journal(memory_store()) as journal, anyio.create_task_group() as tasks:
        async with journal.feeds.open("") as feed:
            tasks.start_soon(expect_the_end, feed)
            await anyio.wait_all_tasks_blocked()
        await expect_the_end(feed)


async def expect_the_end(feed: Feed) -> None:
    with pytest.raises(Closed):
        await anext(feed)
