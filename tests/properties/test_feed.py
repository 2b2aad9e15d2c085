"""The feed against a plain list: each event once, in the order of the commits."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Literal

import anyio
import anyio.lowlevel
import pytest
from anyio import to_thread
from hypothesis import given, settings
from hypothesis import strategies as st

from hubbub.journal.event import Event
from hubbub.journal.journal import Journal
from hubbub.journal.live import feed as module
from hubbub.journal.live.feed import Feed
from hubbub.journal.stores.contract import Store
from hubbub.journal.stores.sqlite import SQLiteStore
from tests.journal.tally import add, memory_store, open_journal, together

READERS = 3
Place = tuple[str, int]

batches = st.lists(st.sampled_from("abc"), min_size=1, max_size=6)
# What a batch adds to; how much a reader takes, or that it stops and comes back.
steps = st.lists(
    st.tuples(st.just("commit"), batches)
    | st.tuples(st.just("take"), st.tuples(st.integers(0, READERS - 1), st.integers(1, 8)))
    | st.tuples(st.just("stop"), st.integers(0, READERS - 1))
    | st.tuples(st.just("restart"), st.none()),
    max_size=20,
)
pages = st.integers(1, 5)
kinds = st.sampled_from(["memory", "sqlite"])
backends: st.SearchStrategy[Literal["asyncio", "trio"]] = st.sampled_from(["asyncio", "trio"])


class Reader:
    """A reader that keeps a position, and remembers what came."""

    def __init__(self) -> None:
        self.position = ""
        self.found: list[Place] = []
        self.feed: Feed | None = None
        self.stack = AsyncExitStack()

    async def take(self, journal: Journal, count: int) -> None:
        if self.feed is None:
            self.feed = await self.stack.enter_async_context(journal.feeds.open(self.position))
        for _ in range(count):
            self.position, event = await anext(self.feed)
            self.found.append((event.stream, event.seq))

    async def stop(self) -> None:
        self.feed = None
        await self.stack.aclose()


class Run:
    """A journal, its readers, and the list of what was committed."""

    def __init__(self, kind: str, folder: str) -> None:
        self.path = Path(folder) / "hubbub.db" if kind == "sqlite" else None
        self.store: Store = memory_store()
        self.readers = [Reader() for _ in range(READERS)]
        self.committed: list[Place] = []

    async def go(self, steps: Sequence[tuple[str, object]]) -> None:
        left = list(steps)
        while left:
            await self._until_restart(left)
        for reader in self.readers:
            assert reader.found == self.committed[: len(reader.found)]

    async def _until_restart(self, left: list[tuple[str, object]]) -> None:
        if self.path is not None:
            self.store = await to_thread.run_sync(SQLiteStore, self.path)
        async with open_journal(self.store) as journal:
            journal.on_commit.append(self._note)
            while left:
                what, value = left.pop(0)
                if what == "restart":
                    break
                await self._step(journal, what, value)
            for reader in self.readers:
                if not left:
                    # All that it has not seen yet is there.
                    await reader.take(journal, len(self.committed) - len(reader.found))
                    assert len(reader.found) == len(self.committed)
                await reader.stop()
        if self.path is not None:
            await to_thread.run_sync(self.store.close)

    def _note(self, events: Sequence[Event]) -> None:
        self.committed += [(event.stream, event.seq) for event in events]

    async def _step(self, journal: Journal, what: str, value: object) -> None:
        match what, value:
            case "commit", list(letters):
                await together(journal, *(add(f"tally/{letter}", 1) for letter in letters))
            case "take", (int(number), int(count)):
                reader = self.readers[number]
                most = len(self.committed) - len(reader.found)
                await reader.take(journal, min(count, most))
            case "stop", int(number):
                await self.readers[number].stop()


@settings(max_examples=60)
@given(steps, pages, kinds, backends)
def test_readers_that_stop_and_come_back_see_each_event_once(
    steps: list[tuple[str, object]], page: int, kind: str, backend: Literal["asyncio", "trio"]
) -> None:
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as folder:
        patch.setattr(module, "FEED_PAGE_EVENTS_MAX", page)
        anyio.run(Run(kind, folder).go, steps, backend=backend)


writes = st.lists(st.tuples(batches, st.integers(0, 3)), min_size=1, max_size=6)


async def write(journal: Journal, work: Sequence[tuple[list[str], int]]) -> None:
    for letters, pause in work:
        await together(journal, *(add(f"tally/{letter}", 1) for letter in letters))
        for _ in range(pause):
            await anyio.lowlevel.checkpoint()


async def read(journal: Journal, count: int, each: int, found: list[Event]) -> None:
    """Take a number of events, and reconnect after every few."""
    position = ""
    while len(found) < count:
        async with journal.feeds.open(position) as feed:
            for _ in range(min(each, count - len(found))):
                position, event = await anext(feed)
                found.append(event)


async def run_together(
    kind: str, folder: str, work: Sequence[Sequence[tuple[list[str], int]]], each: Sequence[int]
) -> None:
    store: Store = memory_store()
    if kind == "sqlite":
        store = await to_thread.run_sync(SQLiteStore, Path(folder) / "hubbub.db")
    count = sum(len(letters) for one in work for letters, _ in one)
    found: list[list[Event]] = [[] for _ in each]
    with anyio.fail_after(15):
        async with open_journal(store) as journal, anyio.create_task_group() as tasks:
            for taken, few in zip(found, each, strict=True):
                tasks.start_soon(read, journal, count, few, taken)
            for one in work:
                tasks.start_soon(write, journal, one)
    await to_thread.run_sync(store.close)
    check(found, count)


def check(found: Sequence[Sequence[Event]], count: int) -> None:
    for events in found:
        assert list(events) == list(found[0])
        assert len(events) == count
        for stream in {event.stream for event in events}:
            seqs = [event.seq for event in events if event.stream == stream]
            assert seqs == list(range(1, len(seqs) + 1))


@settings(max_examples=60)
@given(
    st.lists(writes, min_size=1, max_size=4),
    st.lists(st.integers(1, 9), min_size=2, max_size=3),
    pages,
    kinds,
    backends,
)
def test_readers_beside_writers_see_one_order(
    work: list[list[tuple[list[str], int]]],
    each: list[int],
    page: int,
    kind: str,
    backend: Literal["asyncio", "trio"],
) -> None:
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as folder:
        patch.setattr(module, "FEED_PAGE_EVENTS_MAX", page)
        anyio.run(partial(run_together, kind, folder, work, each), backend=backend)
