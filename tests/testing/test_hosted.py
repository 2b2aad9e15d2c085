from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import anyio
import pytest
from anyio.abc import TaskGroup
from anyio.lowlevel import checkpoint

from hubbub.testing import hosted


@asynccontextmanager
async def recording(log: list[str]) -> AsyncIterator[str]:
    """A manager with a task group, which must be left by the task that entered it."""
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(anyio.sleep_forever)
        log.append("entered")
        try:
            yield "value"
        except ValueError:
            log.append("error")
            raise
        finally:
            log.append("left")
            tasks.cancel_scope.cancel()


@pytest.fixture
async def group() -> AsyncIterator[TaskGroup]:
    async with hosted(anyio.create_task_group()) as tasks:
        yield tasks


async def test_a_fixture_may_hold_a_task_group_over_its_yield(group: TaskGroup) -> None:
    done = anyio.Event()

    async def finish() -> None:
        done.set()

    group.start_soon(finish)

    with anyio.fail_after(1):
        await done.wait()


async def test_the_value_of_the_manager_is_given() -> None:
    log: list[str] = []
    async with hosted(recording(log)) as value:
        assert log == ["entered"]

    assert value == "value"
    assert log == ["entered", "left"]


async def test_an_error_on_entering_reaches_the_caller() -> None:
    @asynccontextmanager
    async def broken() -> AsyncIterator[None]:
        await checkpoint()
        raise ValueError("cannot enter")
        yield

    with pytest.raises(ValueError, match="cannot enter"):
        async with hosted(broken()):
            pytest.fail("the body must not run")


async def test_an_error_on_leaving_reaches_the_caller() -> None:
    @asynccontextmanager
    async def broken() -> AsyncIterator[None]:
        yield
        raise ValueError("cannot leave")

    with pytest.raises(ValueError, match="cannot leave"):
        async with hosted(broken()):
            await checkpoint()


async def test_an_error_of_a_task_inside_reaches_the_caller_on_leaving() -> None:
    async def fail() -> None:
        raise ValueError("in a task")

    async def body() -> None:
        async with hosted(anyio.create_task_group()) as tasks:
            tasks.start_soon(fail)
            await anyio.wait_all_tasks_blocked()

    with pytest.raises(ExceptionGroup) as caught:
        await body()

    assert caught.group_contains(ValueError, match="in a task")


async def test_an_error_of_the_body_is_raised_inside_the_manager() -> None:
    log: list[str] = []

    with pytest.raises(ExceptionGroup) as caught:
        async with hosted(recording(log)):
            raise ValueError("in the body")

    assert caught.group_contains(ValueError, match="in the body")
    assert log == ["entered", "error", "left"]


async def test_the_manager_may_swallow_an_error_of_the_body() -> None:
    @asynccontextmanager
    async def forgiving() -> AsyncIterator[None]:
        with suppress(ValueError):
            yield

    async with hosted(forgiving()):
        raise ValueError("forgiven")


async def test_an_error_that_the_manager_never_saw_is_not_swallowed() -> None:
    @asynccontextmanager
    async def impatient() -> AsyncIterator[None]:
        with anyio.move_on_after(0):
            yield

    async def body() -> None:
        async with hosted(impatient()):
            await anyio.wait_all_tasks_blocked()
            raise ValueError("in the body")

    with pytest.raises(ValueError, match="in the body"):
        await body()


async def test_to_cancel_the_body_is_to_cancel_the_manager() -> None:
    log: list[str] = []

    async def body() -> None:
        async with hosted(recording(log)):
            await anyio.sleep_forever()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(body)
        await anyio.wait_all_tasks_blocked()
        tasks.cancel_scope.cancel()

    assert log == ["entered", "left"]


async def test_to_cancel_the_entering_is_to_cancel_the_manager() -> None:
    log: list[str] = []

    @asynccontextmanager
    async def slow() -> AsyncIterator[None]:
        try:
            await anyio.sleep_forever()
            yield
        finally:
            log.append("cancelled")

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(hosted(slow()).__aenter__)
        await anyio.wait_all_tasks_blocked()
        tasks.cancel_scope.cancel()

    assert log == ["cancelled"]


async def test_a_manager_that_does_not_leave_can_be_cancelled() -> None:
    log: list[str] = []

    @asynccontextmanager
    async def slow() -> AsyncIterator[None]:
        yield
        try:
            await anyio.sleep_forever()
        finally:
            log.append("cancelled")

    async def body() -> None:
        async with hosted(slow()):
            log.append("body")

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(body)
        await anyio.wait_all_tasks_blocked()
        tasks.cancel_scope.cancel()

    assert log == ["body", "cancelled"]


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_what_was_never_left_ends_with_the_event_loop(backend: str) -> None:
    log: list[str] = []
    manager = hosted(recording(log))

    anyio.run(manager.__aenter__, backend=backend)

    assert log == ["entered", "left"]
