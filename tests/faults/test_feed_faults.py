"""The feed after failed writes, and after its process was killed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import pytest
from anyio import to_thread

import hubbub
from hubbub.errors import StorageError
from hubbub.journal.event import Event
from hubbub.journal.stores.sqlite import SQLiteStore
from hubbub.settings import Settings
from tests.faults.killing import kill_after
from tests.journal.decide.test_committer_faults import Rival
from tests.journal.tally import add, open_journal, publish, together
from tests.journal.troubled import FailingStore, GatedStore, HeldStore

IMPATIENT = Settings(commit_seconds_max=0.2)
SENDERS = 50
# It is killed in the middle of some page, at another point each time.
KILLED_AFTER = [1, 700, 3_000]

Place = tuple[str, int]


async def take(feed: AsyncIterator[tuple[str, Event]], count: int) -> list[int]:
    with anyio.fail_after(10):
        return [(await anext(feed))[1].seq for _ in range(count)]


async def test_nothing_is_in_it_before_it_is_durable(tmp_path: Path) -> None:
    store = await to_thread.run_sync(HeldStore, tmp_path / "hubbub.db")
    found: list[int] = []

    async def read() -> None:
        async with journal.feeds.open("") as feed:
            for _ in range(2):
                found.extend(await take(feed, 1))

    async with open_journal(store) as journal, anyio.create_task_group() as tasks:
        await journal.execute(add("tally/1", 1))
        store.before_commit.shut()
        tasks.start_soon(journal.execute, add("tally/1", 1))
        await store.before_commit.reached()
        tasks.start_soon(read)
        there = await journal.feeds.read(0, 9)
        store.before_commit.open()
    await to_thread.run_sync(store.close)

    assert [placed.place for placed in there] == [1]
    assert found == [1, 2]


async def test_a_commit_that_was_late_is_in_it_when_its_thread_comes_back() -> None:
    store = GatedStore()
    found: list[int] = []

    async def read() -> None:
        async with journal.feeds.open("") as feed:
            found.extend(await take(feed, 3))

    async with open_journal(store, IMPATIENT) as journal, anyio.create_task_group() as tasks:
        tasks.start_soon(read)
        await journal.execute(add("tally/1", 1))
        store.before_commit.shut()
        with pytest.raises(StorageError):
            await journal.execute(add("tally/1", 1))
        before = list(found)
        store.open_all()
        with anyio.fail_after(10):
            while journal.failed:
                await anyio.lowlevel.checkpoint()
        await journal.execute(add("tally/1", 1))

    assert before == []
    assert found == [1, 2, 3]


async def test_a_commit_that_was_late_is_in_it_though_nothing_comes_after() -> None:
    store = GatedStore()
    async with (
        open_journal(store, IMPATIENT) as journal,
        journal.feeds.open(None) as feed,
        anyio.create_task_group() as tasks,
    ):
        store.before_commit.shut()
        with pytest.raises(StorageError):
            await journal.execute(add("tally/1", 1))
        tasks.start_soon(take, feed, 1)
        await anyio.wait_all_tasks_blocked()
        store.open_all()


async def test_what_was_not_written_is_not_in_it(tmp_path: Path) -> None:
    store = await to_thread.run_sync(FailingStore, tmp_path / "hubbub.db")
    async with open_journal(store) as journal, journal.feeds.open("") as feed:
        await publish(journal, 2)
        store.failures = 2
        refused = [await together(journal, add("tally/1", 1)) for _ in range(2)]
        await publish(journal, 2)
        found = await take(feed, 4)
        there = await journal.feeds.read(0, 9)
    await to_thread.run_sync(store.close)

    assert [type(outcome) for [outcome] in refused] == [StorageError, StorageError]
    assert found == [placed.place for placed in there] == [1, 2, 3, 4]


async def one(feed: AsyncIterator[tuple[str, Event]]) -> tuple[str, Place]:
    with anyio.fail_after(10):
        position, event = await anext(feed)
    return position, (event.stream, event.seq)


async def test_what_another_writer_wrote_is_in_it_in_its_place(tmp_path: Path) -> None:
    path = tmp_path / "hubbub.db"
    store = await to_thread.run_sync(SQLiteStore, path)
    async with open_journal(store) as journal, journal.feeds.open("") as feed:
        await journal.execute(add("tally/1", 1))
        await to_thread.run_sync(Rival(path).add, 2)
        await together(journal, add("tally/1", 1), add("tally/1", 1))
        found = await take(feed, 4)
    await to_thread.run_sync(store.close)

    assert found == [1, 2, 3, 4]


# Killed


def kill_one(path: Path, backend: str, count: int) -> list[tuple[str, Place]]:
    """Run a hub whose feed is read, kill it; return what its reader had."""
    lines = kill_after(count, "doomed_feed.py", path, backend, SENDERS)
    return [(position, (stream, int(seq))) for position, stream, seq in lines]


@pytest.mark.parametrize("count", KILLED_AFTER)
async def test_a_reader_that_was_killed_goes_on_without_a_gap(
    tmp_path: Path, backend: str, count: int
) -> None:
    path = tmp_path / "hubbub.db"
    had = await to_thread.run_sync(kill_one, path, backend, count)
    async with hubbub.open(str(path)) as hub:
        async with hub.feed(after=None) as feed:
            end = feed.position
        whole = await read_to(hub, "", end)
        rest = await read_to(hub, had[-1][0], end)

    assert len(had) >= count
    assert [*had, *rest] == whole
    for stream in {stream for _, (stream, _) in whole}:
        seqs = [seq for _, (name, seq) in whole if name == stream]
        assert seqs == list(range(1, len(seqs) + 1))


async def read_to(hub: hubbub.Hubbub, after: str, end: str) -> list[tuple[str, Place]]:
    found: list[tuple[str, Place]] = []
    async with hub.feed(after=after) as feed:
        while feed.position != end:
            found.append(await one(feed))
    return found
