from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import AsyncGenerator
from pathlib import Path

import anyio
import pytest
import trio
from anyio import to_thread
from anyio.abc import TaskGroup
from anyio.lowlevel import checkpoint

from hubbub.testing import Sessions
from pytest_hubbub.leaks import Resources, without_leaks


async def failure_of(test: object) -> str:
    with pytest.raises(pytest.fail.Exception) as failed:
        await without_leaks(test)()  # type: ignore[arg-type]  # any async function will do
    return str(failed.value)


async def test_a_task_that_goes_on_is_a_leak() -> None:
    scopes: list[anyio.CancelScope] = []

    async def goes_on() -> None:
        with anyio.CancelScope() as scope:
            scopes.append(scope)
            await anyio.sleep_forever()

    async def leaks() -> None:
        if trio.lowlevel.in_trio_run():
            trio.lowlevel.spawn_system_task(goes_on, name="left")
        else:
            kept.append(asyncio.create_task(goes_on(), name="left"))
        await checkpoint()

    kept: list[object] = []
    text = await failure_of(leaks)
    scopes[0].cancel()

    assert text == "The test left behind:\n  the task 'left'"


def test_a_thread_that_goes_on_is_a_leak() -> None:
    done, resources = threading.Event(), Resources()
    threading.Thread(target=done.wait, name="left", daemon=True).start()

    with pytest.raises(pytest.fail.Exception, match="left behind:\n  the thread 'left'"):
        resources.check()
    done.set()


def test_an_open_descriptor_is_a_leak(tmp_path: Path) -> None:
    resources = Resources()
    descriptor = os.open(tmp_path, os.O_RDONLY)

    with pytest.raises(pytest.fail.Exception, match=f"the descriptor {descriptor}, {tmp_path}"):
        resources.check()
    os.close(descriptor)
    resources.check()


async def numbers() -> AsyncGenerator[int]:
    yield 1
    yield 2


async def test_an_async_generator_that_is_not_closed_is_a_leak() -> None:
    kept: list[AsyncGenerator[int]] = []

    async def leaks() -> None:
        kept.append(numbers())
        await anext(kept[0])

    text = await failure_of(leaks)
    await kept[0].aclose()

    assert "the async generator 'numbers' of " in text
    assert text.endswith("which was not closed")


async def test_what_ends_with_the_test_is_no_leak() -> None:
    async def cleans_up() -> None:
        assert [number async for number in numbers()] == [1, 2]
        await to_thread.run_sync(int)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(anyio.sleep_forever)
            await checkpoint()
            tasks.cancel_scope.cancel()

    await without_leaks(cleans_up)()


async def test_a_failure_of_the_test_comes_first() -> None:
    kept = numbers()

    async def fails() -> None:
        await anext(kept)
        raise ValueError("its own")

    with pytest.raises(ValueError, match="its own"):
        await without_leaks(fails)()
    await kept.aclose()


@pytest.mark.no_leaks
async def test_the_fixtures_leave_nothing(session: Sessions, tasks: TaskGroup) -> None:
    tasks.start_soon(anyio.sleep_forever)
    await session("ann")


@pytest.mark.no_leaks
def test_a_plain_test_may_have_the_mark() -> None:
    assert True


@pytest.mark.no_leaks
@pytest.mark.simulated(seeds=2)
async def test_each_seed_leaves_nothing(session: Sessions) -> None:
    await session("ann")
