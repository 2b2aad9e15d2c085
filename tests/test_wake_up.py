"""Waking tasks again and again."""

from __future__ import annotations

import anyio
from anyio.lowlevel import checkpoint

from hubbub.wake_up import WakeUp


async def test_every_task_that_waits_wakes() -> None:
    wake_up, woken = WakeUp(), 0

    async def wait() -> None:
        nonlocal woken
        await wake_up.wait()
        woken += 1

    async with anyio.create_task_group() as tasks:
        for _ in range(3):
            tasks.start_soon(wait)
        await anyio.wait_all_tasks_blocked()
        wake_up.set()

    assert woken == 3


async def test_what_was_set_before_the_wait_is_not_lost() -> None:
    wake_up = WakeUp()
    wake_up.set()

    with anyio.fail_after(1):
        await wake_up.wait()


async def test_it_wakes_once_for_each_time_it_is_set() -> None:
    wake_up, woken = WakeUp(), 0

    async def count() -> None:
        nonlocal woken
        while True:
            await wake_up.wait()
            woken += 1

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(count)
        for _ in range(3):
            await anyio.wait_all_tasks_blocked()
            wake_up.set()
        await anyio.wait_all_tasks_blocked()
        tasks.cancel_scope.cancel()

    assert woken == 3


async def test_a_task_that_comes_while_others_wake_takes_nothing_from_them() -> None:
    wake_up, left = WakeUp(), 3

    async def wait() -> None:
        nonlocal left
        await wake_up.wait()
        left -= 1

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(wait)
        tasks.start_soon(wait)
        await anyio.wait_all_tasks_blocked()
        wake_up.set()
        await wait()
        await checkpoint()

    assert left == 0


async def test_what_wakes_a_task_that_is_cancelled_wakes_the_next() -> None:
    wake_up = WakeUp()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(wake_up.wait)
        await anyio.wait_all_tasks_blocked()
        tasks.cancel_scope.cancel()
        wake_up.set()

    with anyio.fail_after(1):
        await wake_up.wait()
