from __future__ import annotations

import time

import anyio
import pytest
from anyio.lowlevel import checkpoint

from pytest_hubbub.blocking import nonblocking
from tests.event_loop import LOOP

watches_the_loop = pytest.mark.skipif(
    LOOP == "uvloop", reason="uvloop runs its handles where nothing can time them"
)

LIMIT = 0.05
TOO_LONG = 2.5 * LIMIT


async def failure_of(test: object) -> str:
    with pytest.raises(pytest.fail.Exception) as failed:
        await nonblocking(LIMIT, test)()  # type: ignore[arg-type]  # any async function will do
    return str(failed.value)


@watches_the_loop
async def test_a_test_that_blocks_before_it_waits_fails() -> None:
    async def blocks() -> None:
        time.sleep(TOO_LONG)

    text = await failure_of(blocks)

    assert text.startswith("The test kept the event loop for 0.")
    assert "test_blocking.py" in text
    assert "blocks" in text.splitlines()[-1]


@watches_the_loop
async def test_the_task_that_blocks_is_named_with_its_place() -> None:
    def slow_rule() -> None:
        time.sleep(TOO_LONG)

    async def works() -> None:
        await checkpoint()
        slow_rule()

    async def blocks() -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(works, name="worker")

    text = await failure_of(blocks)

    assert text.startswith("The task 'worker' kept the event loop for 0.")
    # What watches this suite for blocking calls stands between the two and time.sleep.
    first, second = text.splitlines()[-2:]
    assert first.endswith("slow_rule")
    assert second.endswith("works")


@watches_the_loop
async def test_waiting_is_not_blocking() -> None:
    async def waits() -> None:
        await anyio.sleep(TOO_LONG)
        await anyio.to_thread.run_sync(time.sleep, TOO_LONG)

    await nonblocking(LIMIT, waits)()


@watches_the_loop
async def test_a_failure_of_the_test_comes_first() -> None:
    async def fails() -> None:
        time.sleep(TOO_LONG)
        raise ValueError("its own")

    with pytest.raises(ValueError, match="its own"):
        await nonblocking(LIMIT, fails)()


@pytest.mark.skipif(LOOP != "uvloop", reason="it is about uvloop")
async def test_on_another_event_loop_it_warns_that_it_sees_nothing() -> None:
    with pytest.warns(pytest.PytestWarning, match=r"cannot watch uvloop\.Loop"):
        await nonblocking(LIMIT, checkpoint)()


@watches_the_loop
@pytest.mark.nonblocking(seconds=5)
async def test_the_mark_lets_a_quick_test_pass() -> None:
    await checkpoint()
