"""Figures of a hub in the process: senders, latency, history, followers."""

from __future__ import annotations

import gc
import statistics
import tempfile
import time
import tracemalloc
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager, suppress

import anyio

import hubbub
from tests.bench.floors import Watch
from tests.bench.table import Row

__all__ = ["fed", "followers", "history", "latency", "senders"]

SETTINGS = hubbub.Settings(message_limit=10**7, message_period=1.0)
SENDERS = 1_000
FOLLOWERS = 2_000
PAGES = 200
TEXT = "x" * 128


@asynccontextmanager
async def _open_room(
    folder: str, watch: Watch | None = None
) -> AsyncIterator[tuple[hubbub.Hubbub, hubbub.Session, str]]:
    path = f"{folder}/bench.db"
    url, store = (path, None) if watch is None else (None, watch.open(path))
    opened = hubbub.open(url, store=store, settings=SETTINGS)
    async with opened as hub, hub.session("root") as root:
        room = await root.chat.create_room("bench")
        yield hub, root, room.id


async def senders(
    backend: str,
    seconds: float,
    beside: Callable[[hubbub.Hubbub], object] = bool,
    watch: Watch | None = None,
    count: int = SENDERS,
) -> list[Row]:
    """
    Measure many concurrent senders in one room, each waiting for its acknowledgement.

    Args:
        backend: asyncio or trio.
        seconds: how long they send.
        beside: called with the hub when all are ready to send.
        watch: keeps what is committed.
        count: the number of senders.
    """
    ready, all_ready, go = 0, anyio.Event(), anyio.Event()
    counts = [0] * count
    end = 0.0

    async def send_on(hub: hubbub.Hubbub, number: int, room_id: str) -> None:
        nonlocal ready
        async with hub.session(f"u{number}") as session:
            await session.chat.join(room_id)
            ready += 1
            if ready == count:
                all_ready.set()
            await go.wait()
            while time.perf_counter() < end:
                await session.chat.send(room_id, TEXT)
                counts[number] += 1

    with tempfile.TemporaryDirectory() as folder:
        opened = _open_room(folder, watch)
        async with opened as (hub, _, room_id), anyio.create_task_group() as tasks:
            for number in range(count):
                tasks.start_soon(send_on, hub, number, room_id)
            await all_ready.wait()
            gc.collect()
            gc.freeze()
            beside(hub)
            if watch is not None:
                watch.begin()
            start = time.perf_counter()
            end = start + seconds
            go.set()
        rate = sum(counts) / (time.perf_counter() - start)
        if watch is not None:
            watch.end(sum(counts))
    gc.unfreeze()
    return [Row(f"{count:,} senders, durable", backend, rate, "messages/s")]


async def fed(backend: str, seconds: float) -> list[Row]:
    """Measure the same senders while somebody reads the feed, and what that reader gets."""
    taken = 0

    async def read_on(hub: hubbub.Hubbub) -> None:
        nonlocal taken
        with suppress(hubbub.Closed):
            async with hub.feed() as feed:
                async for _ in feed:
                    taken += 1

    async with anyio.create_task_group() as readers:
        [sent] = await senders(backend, seconds, lambda hub: readers.start_soon(read_on, hub))
    name = f"{SENDERS:,} senders, durable, and a feed"
    return [
        Row(name, backend, sent.value, "messages/s"),
        Row(f"{name}: what it reads", backend, taken / seconds, "events/s"),
    ]


async def latency(backend: str, seconds: float) -> list[Row]:
    """Measure one publisher: how long an acknowledgement takes."""
    times = []
    with tempfile.TemporaryDirectory() as folder:
        async with _open_room(folder) as (_, root, room_id):
            end = time.perf_counter() + seconds
            while (start := time.perf_counter()) < end:
                await root.chat.send(room_id, TEXT)
                times.append(time.perf_counter() - start)
    median = statistics.median(times) * 1000
    return [Row("1 publisher, acknowledgement (median)", backend, median, "ms", 3, most=True)]


async def history(backend: str, messages: int) -> list[Row]:
    """Measure a long room: pages of it, and the first command in it after a restart."""
    with tempfile.TemporaryDirectory() as folder:
        async with _open_room(folder) as (_, root, room_id), anyio.create_task_group() as tasks:
            for _ in range(SENDERS):
                tasks.start_soon(_send_many, root, room_id, messages // SENDERS)
        opened = hubbub.open(f"{folder}/bench.db", settings=SETTINGS)
        async with opened as hub, hub.session("root") as root:
            start = time.perf_counter()
            await root.chat.join(room_id)
            opening = (time.perf_counter() - start) * 1000
            newest = await _page_time(root, room_id, [None] * PAGES)
            step = messages // PAGES
            anywhere = await _page_time(root, room_id, range(step, messages, step))
    name = f"history of {messages:,}"
    return [
        Row(f"{name}: the newest 50 (median)", backend, newest, "ms", 5, most=True),
        Row(f"{name}: any 50 (median)", backend, anywhere, "ms", 10, most=True),
        Row(f"{name}: opening it after a restart", backend, opening, "ms", 50, most=True),
    ]


async def followers(backend: str) -> list[Row]:
    """Measure the memory of followers who wait for something to happen."""
    async with hubbub.open("memory://", settings=SETTINGS) as hub, hub.session("root") as root:
        room = await root.chat.create_room("bench")
        async with AsyncExitStack() as stack:
            gc.collect()
            # The process's memory grows by whole pages, which others may have left.
            tracemalloc.start()
            for _ in range(FOLLOWERS):
                await stack.enter_async_context(root.follow(room.stream))
            gc.collect()
            each = tracemalloc.get_traced_memory()[0] / FOLLOWERS / 1024
            tracemalloc.stop()
    return [Row("an idle follower in the process", backend, each, "KB", 2, most=True)]


async def _send_many(session: hubbub.Session, room_id: str, count: int) -> None:
    for _ in range(count):
        await session.chat.send(room_id, TEXT)


async def _page_time(session: hubbub.Session, room_id: str, befores: Iterable[int | None]) -> float:
    times = []
    for before in befores:
        start = time.perf_counter()
        page = await session.chat.history(room_id, before=before, limit=50)
        times.append(time.perf_counter() - start)
        assert page
    return statistics.median(times) * 1000
