"""
Reproductions without the simulation, of everything that it found, on plain asyncio and trio.

Each function fails if its library no longer does what the table says.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import aiocache
import aiojobs
import aiorwlock
import anyio
import janus
import tricycle
from anyio.functools import lru_cache
from async_lru import alru_cache
from broadcaster import Broadcast
from cashews import Cache

from .locks import aio_reading, aio_writing, tri_reading, tri_writing
from .queues import RemoteBackend

__all__ = ["REPRODUCTIONS", "Reproduction"]


async def echo(value: int) -> int:
    await anyio.sleep(0.05)
    return value


async def anyio_lru_cache() -> None:
    async def fails_for_1(number: int) -> int:
        await anyio.sleep(0.05)
        if number == 1:
            raise ConnectionError
        return number

    cached: Any = lru_cache(maxsize=1)(fails_for_1)
    seen: list[object] = []

    async def call(number: int) -> None:
        try:
            seen.append(await cached(number))
        except Exception as error:
            seen.append(type(error))

    async with anyio.create_task_group() as tasks:
        for number in (1, 1, 2):
            tasks.start_soon(call, number)
            await anyio.sleep(0.01)
    assert KeyError in seen

    cached = lru_cache(maxsize=2)(echo)
    await cached(1)
    for _ in range(3):
        with anyio.move_on_after(0.01):
            await cached(2)
    await cached(1)
    assert cached.cache_info().hits == 0  # 1 was evicted, and 2 never came

    cached = lru_cache(maxsize=1)(echo)
    async with anyio.create_task_group() as tasks:
        for number in range(5):
            tasks.start_soon(cached, number)
    for number in range(5):
        await cached(number)
    assert cached.cache_info().hits == 5  # a cache of 1 has all five


async def anyio_memory_stream() -> None:
    send, receive = anyio.create_memory_object_stream[str](0)
    async with send, receive, anyio.create_task_group() as tasks:
        scope = anyio.CancelScope()

        async def sender() -> None:
            with scope:
                await send.send("item")

        tasks.start_soon(sender)
        await anyio.sleep(0.01)
        scope.cancel()
        assert receive.receive_nowait() == "item"
    assert scope.cancelled_caught


async def async_lru() -> None:
    calls: list[int] = []

    async def closes_slowly(number: int) -> int:
        calls.append(number)
        try:
            return await echo(number)
        finally:
            await asyncio.sleep(0.05)

    cached: Any = alru_cache(closes_slowly)
    first = asyncio.create_task(cached(1))
    await asyncio.sleep(0.02)
    first.cancel()
    await asyncio.sleep(0.02)
    second = asyncio.create_task(cached(1))
    await asyncio.sleep(0.05)
    await asyncio.gather(second, cached(1))
    assert len(calls) == 3  # the third found no entry, though the second was running


async def cashews() -> None:
    cache: Any = Cache()
    cache.setup("mem://", check_interval=0)
    cached = cache(ttl="1m")(echo)
    leaves, stays = asyncio.create_task(cached(1)), asyncio.create_task(cached(1))
    await asyncio.sleep(0.01)
    leaves.cancel()
    await asyncio.wait([leaves, stays])
    assert stays.cancelled()


async def aiocache_locks() -> None:
    def cached(seconds: float) -> Awaitable[None]:
        async def compute() -> int:
            await asyncio.sleep(seconds)
            return 1

        called: Awaitable[None] = aiocache.cached_stampede(key="price")(compute)()
        return called

    outcomes = await asyncio.gather(cached(0.02), cached(0.05), return_exceptions=True)
    assert any(isinstance(outcome, KeyError) for outcome in outcomes)


async def broadcaster() -> None:
    backend: Any = RemoteBackend()
    async with Broadcast(backend=backend) as broadcast:
        got: list[str] = []

        async def listen() -> None:
            async with broadcast.subscribe("room") as events:
                got.append((await events.get()).message)

        tasks = [asyncio.create_task(listen()) for _ in range(2)]
        await asyncio.sleep(0.05)
        await broadcast.publish("room", "hello")
        await asyncio.sleep(0.05)
        assert got == ["hello"]  # of two that listen
        await asyncio.wait([*tasks], timeout=0.01)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

        task = asyncio.create_task(listen())
        await asyncio.sleep(0.005)
        task.cancel()
        await asyncio.wait([task])
        assert isinstance(task.exception(), KeyError)  # and not cancelled


async def aiojobs_scheduler() -> None:
    scheduler = aiojobs.Scheduler(limit=2, pending_limit=1)
    began: list[str] = []

    async def job(name: str, seconds: float) -> None:
        began.append(name)
        await asyncio.sleep(seconds)

    jobs = {"a": 0.01, "b": 0.01, "c": 60, "d": 60}
    spawned = [asyncio.create_task(scheduler.spawn(job(*each))) for each in jobs.items()]
    await asyncio.sleep(0.1)
    assert began == ["a", "b", "c"]  # d waits, though 1 of 2 places is free
    await scheduler.close()
    await asyncio.gather(*spawned)


async def readers_overtaken(lock: Any, reading: Any, writing: Any) -> None:
    came: list[str] = []
    release, writer = anyio.Event(), anyio.CancelScope()

    async def hold() -> None:
        async with reading(lock):
            await release.wait()

    async def write() -> None:
        with writer:
            async with writing(lock):
                pass

    async def read(name: str) -> None:
        async with reading(lock):
            came.append(name)

    async with anyio.create_task_group() as tasks:
        for begin in (hold, write, partial(read, "first")):
            tasks.start_soon(begin)
            await anyio.wait_all_tasks_blocked()
        writer.cancel()
        await anyio.wait_all_tasks_blocked()
        tasks.start_soon(read, "second")
        await anyio.wait_all_tasks_blocked()
        release.set()
    assert came == ["second", "first"]


async def aiorwlock_order() -> None:
    await readers_overtaken(aiorwlock.RWLock(), aio_reading, aio_writing)


async def tricycle_order() -> None:
    await readers_overtaken(tricycle.RWLock(), tri_reading, tri_writing)


async def condition_loses_a_wake_up() -> None:
    condition, items, taken = asyncio.Condition(), list[int](), list[int]()

    async def take() -> None:
        async with condition:
            await condition.wait_for(lambda: items)
            taken.append(items.pop())

    first, second = asyncio.create_task(take()), asyncio.create_task(take())
    await asyncio.sleep(0.01)
    async with condition:
        items.append(1)
        condition.notify()
    first.cancel()
    await asyncio.wait([first, second], timeout=0.05)
    # Python 3.13 gives the wake-up to the other task.
    assert taken == ([] if sys.version_info < (3, 13) else [1])
    second.cancel()
    await asyncio.wait([second])


async def janus_loses_a_wake_up() -> None:
    queue: Any = janus.Queue()
    first, second = (asyncio.create_task(queue.async_q.get()) for _ in range(2))
    await asyncio.sleep(0.01)
    await queue.async_q.put(1)
    first.cancel()
    await asyncio.wait([first, second], timeout=0.05)
    assert second.done() == (sys.version_info >= (3, 13))
    second.cancel()
    await asyncio.wait([second])
    await queue.aclose()


Reproduction = Callable[[], Awaitable[None]]
ON_ASYNCIO: tuple[Reproduction, ...] = (
    aiocache_locks,
    aiojobs_scheduler,
    aiorwlock_order,
    anyio_lru_cache,
    anyio_memory_stream,
    async_lru,
    broadcaster,
    cashews,
    condition_loses_a_wake_up,
    janus_loses_a_wake_up,
)
ON_TRIO: tuple[Reproduction, ...] = (anyio_lru_cache, anyio_memory_stream, tricycle_order)
REPRODUCTIONS = (("asyncio", ON_ASYNCIO), ("trio", ON_TRIO))
