"""The log names what blocks the event loop, and no work cancels itself."""

from __future__ import annotations

import logging

import anyio
import pytest

from hubbub.games.matches.watched import BLOCKED_SECONDS_MAX, Watch


class Clock:
    """A clock that passes when somebody blocks."""

    def __init__(self) -> None:
        self.passed = 0.0

    def __call__(self) -> float:
        return self.passed

    def block(self, seconds: float) -> None:
        self.passed += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def watch(clock: Clock, caplog: pytest.LogCaptureFixture) -> Watch:
    caplog.set_level(logging.WARNING, logger="hubbub.games")
    return Watch("match 7 (chess)", clock)


async def test_a_step_that_blocks_is_named_with_how_long(
    watch: Watch, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    async def work(seconds: float) -> str:
        await anyio.lowlevel.checkpoint()
        clock.block(seconds)
        return "done"

    assert await watch.run("on_tick", work, 1.25) == "done"
    assert caplog.messages == ["on_tick of match 7 (chess) blocked the event loop for 1.25 s"]


async def test_waiting_is_not_blocking(
    watch: Watch, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    async def others_block() -> None:
        clock.block(5)

    async def work() -> None:
        for _ in range(100):
            clock.block(BLOCKED_SECONDS_MAX / 2)
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(others_block)

    await watch.run("on_start", work)

    assert caplog.messages == []


async def test_what_is_raised_is_raised(watch: Watch, clock: Clock) -> None:
    async def work() -> None:
        await anyio.lowlevel.checkpoint()
        raise RecursionError("deep")

    with pytest.raises(RecursionError, match="deep"):
        await watch.run("on_start", work)


def test_a_call_is_watched_too(
    watch: Watch, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    assert watch.call("the handler", lambda: clock.block(2)) is None
    assert caplog.messages == ["the handler of match 7 (chess) blocked the event loop for 2.00 s"]


async def test_what_is_cancelled_is_cancelled(watch: Watch) -> None:
    ended = list[str]()

    async def work() -> None:
        try:
            await anyio.sleep_forever()
        finally:
            ended.append("work")

    with anyio.move_on_after(0.001) as scope:
        await watch.run("on_start", work)

    assert scope.cancelled_caught
    assert ended == ["work"]


async def test_an_error_reaches_the_work_that_waits(watch: Watch) -> None:
    async def fail() -> None:
        raise ValueError("a fault")

    async def work() -> str:
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(fail)
                await anyio.sleep_forever()
        except* ValueError:
            pass
        return "caught"

    assert await watch.run("on_start", work) == "caught"


async def test_to_cancel_oneself_is_a_fault(watch: Watch) -> None:
    async def work() -> None:
        await anyio.lowlevel.checkpoint()
        # As by awaiting a task of asyncio's that was cancelled; trio does not let anybody make one.
        raise anyio.get_cancelled_exc_class()

    with pytest.raises((RuntimeError, TypeError)):
        await watch.run("on_start", work)
