"""Queues, schedulers and limiters: nothing is lost, nothing waits in vain, no limit is passed."""

from __future__ import annotations

import asyncio
from functools import partial
from itertools import pairwise
from typing import Any

import aiojobs
import aiometer
import anyio
import janus
from aiolimiter import AsyncLimiter
from broadcaster import Broadcast, Event

from hubbub.testing.simulation import cancel_everywhere, current_random, eventually

from .case import ASYNCIO, Case
from .giving_up import eighths, task_cancelled_after
from .locks import LOSES_WAKE_UPS

__all__ = ["CASES"]


async def janus_loses_nothing() -> None:
    queue: Any = janus.Queue(maxsize=2)
    random = current_random()
    sent: list[tuple[int, int]] = []
    taken: list[tuple[int, int]] = []

    async def produce(number: int) -> None:
        for item in range(3):
            await asyncio.sleep(eighths(random, 0.25))
            async with task_cancelled_after(eighths(random, 1)):
                await queue.async_q.put((number, item))
                sent.append((number, item))

    async def consume() -> None:
        while True:
            async with task_cancelled_after(eighths(random, 0.5)):
                taken.append(await queue.async_q.get())
                queue.async_q.task_done()
            await asyncio.sleep(0.125)

    async with anyio.create_task_group() as consumers:
        for _ in range(2):
            consumers.start_soon(consume)
        async with anyio.create_task_group() as producers:
            for number in range(3):
                producers.start_soon(produce, number)
        with anyio.fail_after(60):
            await queue.async_q.join()
        consumers.cancel_scope.cancel()
    assert sorted(sent) == sorted(taken)
    await queue.aclose()


async def janus_wakes_one() -> None:
    queue: Any = janus.Queue()
    random = current_random()
    taken: list[int] = []

    async def take(patience: float) -> None:
        async with task_cancelled_after(patience):
            taken.append(await queue.async_q.get())

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(take, eighths(random, 1))
        tasks.start_soon(take, 100)
        await asyncio.sleep(eighths(random, 1))
        await queue.async_q.put(1)
        await asyncio.sleep(10)
        left = queue.async_q.qsize()
        tasks.cancel_scope.cancel()
    await queue.aclose()
    assert taken == [1], f"{left} item is in the queue, and its reader sleeps"


async def aiojobs_uses_its_limit() -> None:
    scheduler = aiojobs.Scheduler(limit=2, pending_limit=1)
    began: list[str] = []

    async def job(name: str, seconds: float) -> None:
        began.append(name)
        await asyncio.sleep(seconds)

    jobs = {"a": 1, "b": 1, "c": 1_000, "d": 1}
    async with anyio.create_task_group() as tasks:
        for name, seconds in jobs.items():
            tasks.start_soon(scheduler.spawn, job(name, seconds))
    await asyncio.sleep(10)
    active = scheduler.active_count
    await scheduler.close()
    assert sorted(began[:4]) == list(jobs), f"{active} of 2 places is used, and a job waits"


async def aiojobs_survives_cancellation() -> None:
    scheduler = aiojobs.Scheduler(limit=2, pending_limit=4)
    random = current_random()
    running = 0

    async def job() -> None:
        nonlocal running
        running += 1
        assert running <= 2
        try:
            await asyncio.sleep(eighths(random, 0.5))
        finally:
            running -= 1

    async def user() -> None:
        await asyncio.sleep(eighths(random, 0.5))
        async with task_cancelled_after(eighths(random, 2)):
            await (await scheduler.spawn(job())).wait()

    async with anyio.create_task_group() as tasks:
        for _ in range(6):
            tasks.start_soon(user)
    with anyio.fail_after(30):
        await (await scheduler.spawn(job())).wait()
    await scheduler.close()


class RemoteBackend:
    """A backend to subscribe to which takes a moment, as to Redis."""

    def __init__(self) -> None:
        self._channels: set[str] = set()
        self._queue: asyncio.Queue[Any] = asyncio.Queue()

    async def connect(self) -> None:
        """Be there."""

    async def disconnect(self) -> None:
        """Be gone."""

    async def subscribe(self, channel: str) -> None:
        """Send for what is published there."""
        await asyncio.sleep(0.01)
        self._channels.add(channel)

    async def unsubscribe(self, channel: str) -> None:
        """Send for no more."""
        await asyncio.sleep(0.01)
        self._channels.discard(channel)

    async def publish(self, channel: str, message: Any) -> None:
        """Give a message to the server."""
        await self._queue.put(Event(channel, message))

    async def next_published(self) -> Any:
        """Take the next message of a channel that was sent for."""
        while True:
            event = await self._queue.get()
            if event.channel in self._channels:
                return event


async def broadcaster_serves_all_subscribers() -> None:
    async with Broadcast(backend=RemoteBackend()) as broadcast:
        ready: list[int] = []
        got: list[str] = []

        async def listen() -> None:
            async with broadcast.subscribe("room") as events:
                ready.append(1)
                got.append((await events.get()).message)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(listen)
            tasks.start_soon(listen)
            await eventually(lambda: len(ready) == 2, 5)
            await broadcast.publish("room", "hello")
            await eventually(lambda: len(got) == 2, 5)


async def broadcaster_can_be_cancelled() -> None:
    async with Broadcast(backend=RemoteBackend()) as broadcast:

        async def listen() -> None:
            async with broadcast.subscribe("room"):
                await asyncio.sleep(0.1)

        await cancel_everywhere(listen)


async def aiolimiter_keeps_its_limit() -> None:
    limiter = AsyncLimiter(3, 1)
    random = current_random()
    passed: list[float] = []

    async def user() -> None:
        await asyncio.sleep(random.random() * 2)
        async with task_cancelled_after(random.random() * 3), limiter:
            passed.append(anyio.current_time())

    async with anyio.create_task_group() as tasks:
        for _ in range(15):
            tasks.start_soon(user)
    async with limiter:
        pass
    for index, first in enumerate(passed):
        for count, last in enumerate(passed[index:], 1):
            # A leaky bucket permits a burst of its capacity, and then its rate.
            assert count <= 3 + 3 * (last - first) + 1e-6


async def aiometer_keeps_its_limits() -> None:
    random = current_random()
    running = 0
    began: list[float] = []

    async def work(number: int) -> int:
        nonlocal running
        running += 1
        assert running <= 2
        began.append(anyio.current_time())
        try:
            await anyio.sleep(random.random())
        finally:
            running -= 1
        return number

    async def check(_: bool) -> None:
        assert running == 0

    works = [partial(work, number) for number in range(4)]
    results = await aiometer.run_all(works, max_at_once=2, max_per_second=5)
    assert results == [0, 1, 2, 3]
    assert all(b - a >= 0.2 - 1e-6 for a, b in pairwise(began))
    await cancel_everywhere(partial(aiometer.run_any, works, max_at_once=2), check=check)
    await cancel_everywhere(partial(aiometer.run_all, works, max_at_once=2), check=check)


CASES = [
    Case("janus", "items are neither lost nor doubled", janus_loses_nothing, ASYNCIO),
    Case(
        "janus",
        "an item wakes a reader",
        janus_wakes_one,
        ASYNCIO,
        "lost with the wake-up of `asyncio.Condition`, on which it is built"
        if LOSES_WAKE_UPS
        else None,
        200,
        "python/cpython#112202",
    ),
    Case(
        "aiojobs",
        "no more jobs than the limit, none is lost",
        aiojobs_survives_cancellation,
        ASYNCIO,
    ),
    Case(
        "aiojobs",
        "a job starts while there is a free place",
        aiojobs_uses_its_limit,
        ASYNCIO,
        "two jobs that end in the same turn start one, and a job that waits for room stays pending",
    ),
    Case(
        "broadcaster",
        "two first subscribers of a channel both get messages",
        broadcaster_serves_all_subscribers,
        ASYNCIO,
        "the second replaces the first; then a `KeyError`",
        20,
    ),
    Case(
        "broadcaster",
        "`subscribe` can be cancelled",
        broadcaster_can_be_cancelled,
        ASYNCIO,
        "a `KeyError` instead of the cancellation",
        20,
        "encode/broadcaster#142 (after a lost connection)",
    ),
    Case(
        "aiolimiter", "no burst above the capacity", aiolimiter_keeps_its_limit, ASYNCIO, None, 100
    ),
    Case(
        "aiometer",
        "limits hold, and nothing runs on after the end",
        aiometer_keeps_its_limits,
        seeds=20,
    ),
]
