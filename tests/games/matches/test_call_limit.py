"""How long a method of a handler can take."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

import anyio
import pytest

from hubbub.games.matches.call_limit import COUNTED_SECONDS_MAX, CallLimit
from hubbub.testing import run_in_virtual_time
from tests.event_loop import Backend


def seconds_of(backend: Backend, story: Callable[[], Awaitable[None]]) -> float:
    """Return how long a story takes in virtual time."""

    async def timed() -> float:
        began = anyio.current_time()
        await story()
        return anyio.current_time() - began

    return run_in_virtual_time(timed, backend=backend)


def test_a_method_that_takes_too_long_is_cancelled(backend: Backend) -> None:
    async def story() -> None:
        with pytest.raises(TimeoutError, match="on_tick took longer than 2 s"):
            await CallLimit(2).run("on_tick", partial(anyio.sleep, 3))

    assert seconds_of(backend, story) == pytest.approx(2)


def test_a_long_wait_for_the_store_does_not_cancel_a_method(backend: Backend) -> None:
    limit = CallLimit(1)

    async def call() -> None:
        await anyio.sleep(0.5)
        await limit.wait_for(anyio.sleep(60))
        await anyio.sleep(0.5 - 2 * COUNTED_SECONDS_MAX)

    assert seconds_of(backend, partial(limit.run, "on_tick", call)) == pytest.approx(60.8)


def test_a_method_that_waits_for_the_store_for_ever_is_cancelled(backend: Backend) -> None:
    limit = CallLimit(1)

    async def call() -> None:
        while True:
            await limit.wait_for(anyio.sleep(COUNTED_SECONDS_MAX / 2))

    async def story() -> None:
        with pytest.raises(TimeoutError):
            await limit.run("on_tick", call)

    assert seconds_of(backend, story) == pytest.approx(1, abs=COUNTED_SECONDS_MAX)


def test_what_a_method_does_after_a_wait_counts_as_before(backend: Backend) -> None:
    limit = CallLimit(1)

    async def call() -> None:
        await limit.wait_for(anyio.sleep(60))
        await anyio.sleep_forever()

    async def story() -> None:
        with pytest.raises(TimeoutError):
            await limit.run("on_tick", call)

    assert seconds_of(backend, story) == pytest.approx(61 - COUNTED_SECONDS_MAX)


def test_the_waits_of_other_tasks_give_a_method_no_time(backend: Backend) -> None:
    limit = CallLimit(1)

    async def call() -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(limit.wait_for, anyio.sleep(60))
            await anyio.sleep_forever()

    async def story() -> None:
        with pytest.raises(TimeoutError):
            await limit.run("on_tick", call)

    assert seconds_of(backend, story) == pytest.approx(1)
