"""The errors of a task group."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

import anyio
import pytest

from hubbub.task_group import open_task_group

Task = Callable[[], Coroutine[Any, Any, None]]


class Stop(BaseException):
    """No error of a program, as Ctrl-C is none."""


async def fail(error: BaseException) -> None:
    raise error


async def fail_beside(error: BaseException, task: Task) -> None:
    async with open_task_group() as tasks:
        tasks.start_soon(task)
        await anyio.wait_all_tasks_blocked()
        raise error


async def wait_for(task: Task) -> None:
    async with open_task_group() as tasks:
        tasks.start_soon(task)
        await anyio.sleep_forever()


async def test_what_the_body_raises_comes_out_as_it_is() -> None:
    error = ValueError("the body's")

    with pytest.raises(ValueError, match="the body's") as raised:
        await fail_beside(error, anyio.sleep_forever)

    assert raised.value is error
    assert raised.value.__context__ is None


async def test_a_cause_stays_with_its_error() -> None:
    with pytest.raises(ValueError, match="the body's") as raised:
        async with open_task_group():
            raise ValueError("the body's") from KeyError("why")

    assert isinstance(raised.value.__cause__, KeyError)


async def test_a_stop_comes_out_as_of_any_task_group() -> None:
    with pytest.raises(BaseExceptionGroup) as raised:
        await fail_beside(Stop(), anyio.sleep_forever)

    assert raised.group_contains(Stop)


async def test_a_stop_in_a_task_comes_out_as_of_any_task_group() -> None:
    with pytest.raises(BaseExceptionGroup) as raised:
        await wait_for(partial(fail, Stop()))

    assert raised.group_contains(Stop)


async def test_a_group_that_the_body_raises_is_not_opened() -> None:
    group = ExceptionGroup("the body's", [ValueError("in it")])

    with pytest.raises(ExceptionGroup) as raised:
        async with open_task_group():
            raise group

    assert raised.value is group


async def test_what_a_task_raises_comes_out_in_a_group() -> None:
    with pytest.raises(ExceptionGroup) as raised:
        await wait_for(partial(fail, ValueError("a task's")))

    assert [str(error) for error in raised.value.exceptions] == ["a task's"]


async def test_when_both_fail_the_group_has_both() -> None:
    async def fail_when_cancelled() -> None:
        try:
            await anyio.sleep_forever()
        finally:
            raise ValueError("a task's")

    with pytest.raises(ExceptionGroup) as raised:
        await fail_beside(ValueError("the body's"), fail_when_cancelled)

    assert {str(error) for error in raised.value.exceptions} == {"a task's", "the body's"}


async def test_a_body_that_waits_can_be_cancelled_from_outside() -> None:
    ended = False
    with anyio.CancelScope() as scope:
        async with open_task_group() as tasks:
            tasks.start_soon(anyio.sleep_forever)
            scope.cancel()
            try:
                await anyio.sleep_forever()
            finally:
                ended = True

    assert ended
    assert scope.cancelled_caught


async def test_to_cancel_the_tasks_is_no_error() -> None:
    async with open_task_group() as tasks:
        tasks.start_soon(anyio.sleep_forever)
        tasks.cancel_scope.cancel()
        await anyio.sleep_forever()


async def test_a_body_that_ends_waits_for_its_tasks() -> None:
    ended = False

    async def end() -> None:
        nonlocal ended
        await anyio.wait_all_tasks_blocked()
        ended = True

    async with open_task_group() as tasks:
        tasks.start_soon(end)

    assert ended
