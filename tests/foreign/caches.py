"""Caches: a value is computed once, and a caller that is cancelled disturbs no other."""

from __future__ import annotations

import asyncio
from typing import Any

import aiocache
import anyio
import asyncstdlib
import trio
from anyio.functools import lru_cache
from async_lru import alru_cache
from cashews import Cache

from hubbub.testing.simulation import always, cancel_everywhere, current_random

from .case import ASYNCIO, BOTH, Case
from .giving_up import eighths, task_cancelled_after

__all__ = ["CASES"]


async def anyio_counts_what_it_holds() -> None:
    async def slowly(number: int) -> int:
        await anyio.sleep(1)
        return number

    cached: Any = lru_cache(maxsize=2)(slowly)

    async def check(_: bool) -> None:
        assert cached.cache_info().currsize <= 1, cached.cache_info()

    await cancel_everywhere(lambda: cached(1), check=check)


async def anyio_keeps_what_fits() -> None:
    calls: list[int] = []

    async def slowly(number: int) -> int:
        calls.append(number)
        await anyio.sleep(1)
        return number

    cached: Any = lru_cache(maxsize=2)(slowly)
    await cached(1)
    for _ in range(3):
        with anyio.move_on_after(0.5):
            await cached(2)
    await cached(1)
    assert calls.count(1) == 1, f"computed again; {cached.cache_info()}"


async def anyio_raises_only_what_the_function_raises() -> None:
    async def slowly(number: int) -> int:
        await anyio.sleep(1)
        if number == 1:
            raise ConnectionError
        return number

    cached: Any = lru_cache(maxsize=1)(slowly)

    async def call(number: int) -> None:
        try:
            await cached(number)
        except ConnectionError:
            assert number == 1

    async with anyio.create_task_group() as tasks:
        for number in (1, 1, 2):
            tasks.start_soon(call, number)


async def anyio_holds_at_most_its_size() -> None:
    async def slowly(number: int) -> int:
        calls.append(number)
        await anyio.sleep(1)
        return number

    calls: list[int] = []
    cached: Any = lru_cache(maxsize=1)(slowly)
    async with anyio.create_task_group() as tasks:
        for number in range(5):
            tasks.start_soon(cached, number)
    for number in range(5):
        await cached(number)
    held = 10 - len(calls)
    assert held <= 1, f"a cache of 1 held {held} values"


async def async_lru_computes_once() -> None:
    running = 0

    async def slowly(number: int) -> int:
        nonlocal running
        running += 1
        try:
            await asyncio.sleep(1)
        except asyncio.CancelledError:
            # It was told to stop, and counts no more; to close something takes a moment.
            running -= 1
            await asyncio.sleep(0.5)
            raise
        running -= 1
        return number

    cached: Any = alru_cache(slowly)
    random = current_random()

    async def user() -> None:
        await asyncio.sleep(eighths(random, 2))
        async with task_cancelled_after(eighths(random, 2)):
            await cached(1)

    def computes_once() -> None:
        assert running <= 1, "the same value is computed twice at once"

    with always(computes_once):
        async with asyncio.TaskGroup() as tasks:
            for _ in range(6):
                tasks.create_task(user())


async def cashews_serves_who_stays() -> None:
    cache: Any = Cache()
    cache.setup("mem://", check_interval=0)

    async def slowly(number: int) -> int:
        await asyncio.sleep(1)
        return number

    cached = cache(ttl="1m")(slowly)
    got: list[int] = []

    async def stays() -> None:
        got.append(await cached(1))

    async def gives_up() -> None:
        async with task_cancelled_after(0.5):
            await cached(1)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(gives_up)
        tasks.start_soon(stays)
    assert got == [1], "a caller was cancelled with the one that gave up"


async def cashews_lock_is_free_again() -> None:
    cache: Any = Cache()
    cache.setup("mem://", check_interval=0)
    running = 0

    async def slowly(number: int) -> int:
        nonlocal running
        running += 1
        assert running == 1
        try:
            await asyncio.sleep(0.1)
        finally:
            running -= 1
        return number

    locked = cache.locked(ttl="10s", check_interval=0.05)(slowly)

    async def check(_: bool) -> None:
        with anyio.fail_after(1):
            await locked(1)

    await cancel_everywhere(lambda: locked(1), check=check)


def stampede(calls: list[int], seconds: float) -> Any:
    async def slowly() -> int:
        calls.append(1)
        await asyncio.sleep(seconds)
        return 1

    return aiocache.cached_stampede(lease=60, key="price")(slowly)


async def aiocache_computes_once() -> None:
    calls: list[int] = []
    cached = stampede(calls, 1)

    async def check(_: bool) -> None:
        await cached.cache.clear()
        calls.clear()
        async with anyio.create_task_group() as tasks:
            for _caller in range(3):
                tasks.start_soon(cached)
        assert len(calls) == 1
        await cached.cache.clear()

    await cancel_everywhere(cached, check=check)


async def aiocache_keeps_caches_apart() -> None:
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(stampede([], 1))
        tasks.start_soon(stampede([], 1.5))


async def asyncstdlib_computes_once() -> None:
    calls: list[int] = []
    random = current_random()
    lock: Any = trio.Lock if trio.lowlevel.in_trio_run() else asyncio.Lock

    class Page:
        async def _text(self) -> str:
            await anyio.sleep(0.5)
            calls.append(1)
            return "text"

        text: Any = asyncstdlib.cached_property(lock)(_text)

    page = Page()

    async def user() -> None:
        with anyio.move_on_after(eighths(random, 2)):
            assert await page.text == "text"

    async with anyio.create_task_group() as tasks:
        for _ in range(5):
            tasks.start_soon(user)
    assert await page.text == "text"
    assert len(calls) == 1


LRU = "anyio.functools.lru_cache"
CASES = [
    Case(
        "anyio",
        f"`{LRU}` counts the values that it holds",
        anyio_counts_what_it_holds,
        BOTH,
        "a cancelled or failed call stays in `currsize`",
        20,
    ),
    Case(
        "anyio",
        f"`{LRU}` evicts nothing while there is room",
        anyio_keeps_what_fits,
        BOTH,
        "two cancelled calls push a value out of a cache that is half empty",
        20,
    ),
    Case(
        "anyio",
        f"`{LRU}` raises what the function raises",
        anyio_raises_only_what_the_function_raises,
        BOTH,
        "a caller that waits for an evicted call which fails gets a `KeyError`",
    ),
    Case(
        "anyio",
        f"`{LRU}` holds at most `maxsize` values",
        anyio_holds_at_most_its_size,
        BOTH,
        "five calls at once leave five values in a cache of one",
        20,
    ),
    Case(
        "async-lru",
        "a value is computed once at a time",
        async_lru_computes_once,
        ASYNCIO,
        "a call that ends after its cancellation removes the entry of the next call",
    ),
    Case(
        "cashews",
        "`cache` serves callers that wait for the same value",
        cashews_serves_who_stays,
        ASYNCIO,
        "when one caller is cancelled, so are the others",
        20,
    ),
    Case(
        "cashews",
        "`locked` is free again after a cancellation",
        cashews_lock_is_free_again,
        ASYNCIO,
        None,
        20,
    ),
    Case("aiocache", "`cached_stampede` computes once", aiocache_computes_once, ASYNCIO, None, 20),
    Case(
        "aiocache",
        "two caches with one key do not disturb each other",
        aiocache_keeps_caches_apart,
        ASYNCIO,
        "a `KeyError`: all locks of the process share one table",
        20,
        "aio-libs/aiocache#979 (the same error, by another way)",
    ),
    Case("asyncstdlib", "`cached_property` with a lock computes once", asyncstdlib_computes_once),
]
