from __future__ import annotations

import threading
from collections.abc import Callable

import anyio
import pytest

import hubbub
from hubbub.clock import SystemClock
from hubbub.domain import Service, slow_query
from hubbub.server import gateway
from hubbub.server.loop_watch import FRAMES_MAX, LoopWatch
from tests.server.raw_client import connected
from tests.server.running import running

PATIENCE = 5.0
now = SystemClock().monotonic
TOLD = "has been blocked for"
# Until when the method blocks.
DONE: list[Callable[[], bool]] = []


def block_until(done: Callable[[], bool]) -> None:
    """Block as an application's function does that computes for too long."""
    ends = now() + PATIENCE
    while not done():
        assert now() < ends, "nothing was logged"


class Blocking(Service):
    """A service of an application, with a method that blocks."""

    name = "blocking"

    @slow_query
    async def block(self) -> int:
        """Block the event loop."""
        block_until(DONE[-1])
        return 1


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateway, "PING_SECONDS", 0.2)
    monkeypatch.setattr(gateway, "BLOCKED_SECONDS", 0.2)


@pytest.mark.usefixtures("impatient")
async def test_the_log_names_the_method_that_blocks_while_it_blocks(
    caplog: pytest.LogCaptureFixture,
) -> None:
    DONE.append(lambda: TOLD in caplog.text)
    feature = hubbub.Feature(name="blocking", service=Blocking)
    async with (
        running(features=[*hubbub.FEATURES, feature]) as server,
        connected(server.address, "ann") as client,
    ):
        answer = await client.ask("blocking.block")

    [told] = [one.getMessage() for one in caplog.records if TOLD in one.getMessage()]
    assert answer["result"] == 1
    assert "in block_until" in told
    assert "in block\n" in told
    assert told.count("  File ") == FRAMES_MAX


async def test_each_time_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    watch = LoopWatch(0.01, 0.05, now)

    def told(count: int) -> bool:
        return caplog.text.count(TOLD) == count

    with watch.watching():
        block_until(lambda: told(1))
        end = now() + 0.2
        block_until(lambda: now() > end)
        once = told(1)
        watch.beat()
        block_until(lambda: told(2))

    assert once


async def test_a_loop_that_runs_is_not_told(caplog: pytest.LogCaptureFixture) -> None:
    watch = LoopWatch(0.01, 60.0, now)
    with watch.watching():
        await anyio.sleep(0.05)

    assert TOLD not in caplog.text


async def test_the_thread_ends_with_the_hub() -> None:
    async with running() as server, connected(server.address, "ann"):
        await anyio.wait_all_tasks_blocked()
    with anyio.fail_after(PATIENCE):
        while any(one.name == "hubbub-loop-watch" for one in threading.enumerate()):  # noqa: ASYNC110
            await anyio.sleep(0.01)
