"""Locks and conditions: they exclude, they are free again, and nobody waits in vain."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import aiorwlock
import anyio
import tricycle
import trio

from hubbub.testing.simulation import current_random

from .case import ASYNCIO, TRIO, Case
from .giving_up import eighths, task_cancelled_after, woken_and_cancelled

__all__ = ["CASES", "LOSES_WAKE_UPS", "aio_reading", "aio_writing", "tri_reading", "tri_writing"]

Lock = Any
Locked = Callable[[Lock], AbstractAsyncContextManager[Any]]


async def excludes(lock: Lock, reading: Locked, writing: Locked, giving_up: Any) -> None:
    """Let readers and writers come and give up, and look that writers are alone."""
    random = current_random()
    inside = {reading: 0, writing: 0}

    async def use(locked: Locked) -> None:
        await anyio.sleep(eighths(random, 0.5))
        async with giving_up(eighths(random, 1)), locked(lock):
            inside[locked] += 1
            assert inside[writing] <= 1
            assert not (inside[writing] and inside[reading])
            try:
                await anyio.sleep(eighths(random, 0.25))
            finally:
                inside[locked] -= 1

    async with anyio.create_task_group() as tasks:
        for number in range(10):
            tasks.start_soon(use, writing if number % 3 == 0 else reading)
    async with writing(lock):
        pass
    async with reading(lock):
        pass


async def serves_in_order(lock: Lock, reading: Locked, writing: Locked) -> None:
    """Let a writer give up before which a reader waits, and another reader come."""
    came: list[str] = []

    async def hold() -> None:
        async with reading(lock):
            await anyio.sleep(10)

    async def write_or_give_up() -> None:
        await anyio.sleep(1)
        with anyio.move_on_after(2):
            async with writing(lock):
                pass

    async def read(name: str, at: float) -> None:
        await anyio.sleep(at)
        async with reading(lock):
            came.append(name)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(hold)
        tasks.start_soon(write_or_give_up)
        tasks.start_soon(read, "first", 2)
        tasks.start_soon(read, "second", 4)
    assert came == ["first", "second"], "a reader that came later was served first"


def aio_reading(lock: Lock) -> Any:
    return lock.reader_lock


def aio_writing(lock: Lock) -> Any:
    return lock.writer_lock


def tri_reading(lock: Lock) -> Any:
    return lock.read_locked()


def tri_writing(lock: Lock) -> Any:
    return lock.write_locked()


async def aiorwlock_excludes() -> None:
    await excludes(aiorwlock.RWLock(), aio_reading, aio_writing, task_cancelled_after)


async def aiorwlock_serves_in_order() -> None:
    await serves_in_order(aiorwlock.RWLock(), aio_reading, aio_writing)


async def tricycle_excludes() -> None:
    await excludes(tricycle.RWLock(), tri_reading, tri_writing, woken_and_cancelled)


async def tricycle_serves_in_order() -> None:
    await serves_in_order(tricycle.RWLock(), tri_reading, tri_writing)


async def wakes_one(condition: Any, giving_up: Any) -> None:
    """Notify a condition for which two wait, while one of them gives up."""
    random = current_random()
    items: list[int] = []
    taken: list[int] = []

    async def take(patience: float) -> None:
        async with giving_up(patience), condition:
            while not items:
                await condition.wait()
            taken.append(items.pop())

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(take, eighths(random, 1))
        tasks.start_soon(take, 100)
        await anyio.sleep(eighths(random, 1))
        async with condition:
            items.append(1)
            condition.notify()
    assert taken == [1], "nobody was woken for the item"


async def cpython_condition_wakes_one() -> None:
    await wakes_one(asyncio.Condition(), task_cancelled_after)


async def anyio_condition_wakes_one() -> None:
    await wakes_one(anyio.Condition(), woken_and_cancelled)


async def trio_condition_wakes_one() -> None:
    await wakes_one(trio.Condition(), woken_and_cancelled)


async def anyio_locks_are_free_again() -> None:
    places = ((anyio.Lock(), 1), (anyio.Semaphore(2), 2), (anyio.CapacityLimiter(2), 2))
    for lock, most in places:
        await gives_places_back(lock, most, woken_and_cancelled)
    assert not places[0][0].locked()
    assert places[1][0].value == 2
    assert places[2][0].borrowed_tokens == 0


async def cpython_locks_are_free_again() -> None:
    await gives_places_back(asyncio.Lock(), 1, task_cancelled_after)
    await gives_places_back(asyncio.Semaphore(2), 2, task_cancelled_after)


async def trio_locks_are_free_again() -> None:
    await gives_places_back(trio.Lock(), 1, woken_and_cancelled)
    await gives_places_back(trio.Semaphore(2), 2, woken_and_cancelled)
    await gives_places_back(trio.CapacityLimiter(2), 2, woken_and_cancelled)


async def gives_places_back(lock: Any, most: int, giving_up: Any) -> None:
    """Let more come than there are places, and some give up."""
    random = current_random()
    inside = 0

    async def use() -> None:
        nonlocal inside
        await anyio.sleep(eighths(random, 0.5))
        async with giving_up(eighths(random, 1)), lock:
            inside += 1
            assert inside <= most
            try:
                await anyio.sleep(eighths(random, 0.25))
            finally:
                inside -= 1

    async with anyio.create_task_group() as tasks:
        for _ in range(8):
            tasks.start_soon(use)
    async with lock:
        pass


# Python 3.13 wakes another task.
LOSES_WAKE_UPS = sys.version_info < (3, 13)
OVERTAKEN = "after a waiting writer is cancelled, later readers overtake the readers behind it"
CASES = [
    Case("aiorwlock", "the lock excludes, and is free again", aiorwlock_excludes, ASYNCIO),
    Case(
        "aiorwlock",
        "readers are served in order",
        aiorwlock_serves_in_order,
        ASYNCIO,
        OVERTAKEN,
        20,
    ),
    Case("tricycle", "`RWLock` excludes, and is free again", tricycle_excludes, TRIO),
    Case("tricycle", "`RWLock` is fair", tricycle_serves_in_order, TRIO, OVERTAKEN, 20),
    Case(
        "cpython",
        "`asyncio.Condition.notify` wakes a task",
        cpython_condition_wakes_one,
        ASYNCIO,
        "the wake-up is lost if the woken task is cancelled at the same time"
        if LOSES_WAKE_UPS
        else None,
        200,
        "python/cpython#112202, fixed in 3.13",
    ),
    Case("cpython", "asyncio's locks and semaphores", cpython_locks_are_free_again, ASYNCIO),
    Case("anyio", "`Condition.notify` wakes a task", anyio_condition_wakes_one),
    Case("anyio", "locks, semaphores and limiters are free again", anyio_locks_are_free_again),
    Case("trio", "`Condition.notify` wakes a task", trio_condition_wakes_one, TRIO),
    Case("trio", "locks, semaphores and limiters are free again", trio_locks_are_free_again, TRIO),
]
