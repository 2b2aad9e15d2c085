"""Deadlines with a single task."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Literal

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hubbub.server.deadlines import LATE_SECONDS, Deadlines
from hubbub.testing import run_in_virtual_time

SECONDS = 10.0

Backend = Literal["asyncio", "trio"]


def run(backend: Backend, scenario: Callable[[Deadlines], Awaitable[None]]) -> None:
    """Run a scenario with deadlines, in virtual time."""

    async def whole() -> None:
        deadlines = Deadlines(anyio.current_time)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(deadlines.run)
            await scenario(deadlines)
            tasks.cancel_scope.cancel()

    run_in_virtual_time(whole, backend=backend)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_each_expires_in_its_time_unless_it_is_discarded(backend: Backend) -> None:
    expired: list[tuple[str, float]] = []

    async def scenario(deadlines: Deadlines) -> None:
        began = anyio.current_time()
        for name in ("ann", "bob", "cid", "dee"):
            deadlines.add(
                name,
                SECONDS,
                lambda name=name: expired.append((name, anyio.current_time() - began)),  # type: ignore[misc]
            )
            await anyio.sleep(1)
        deadlines.discard("ann")
        deadlines.discard("cid")
        deadlines.discard("nobody")
        await anyio.sleep(2 * SECONDS)
        deadlines.add("eve", 1.0, lambda: expired.append(("eve", 0)))
        await anyio.sleep(2)

    run(backend, scenario)

    assert [(name, round(at)) for name, at in expired] == [("bob", 11), ("dee", 13), ("eve", 0)]


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_new_deadline_replaces_the_one_before(backend: Backend) -> None:
    expired: list[tuple[str, float]] = []

    async def scenario(deadlines: Deadlines) -> None:
        began = anyio.current_time()

        def note(name: str) -> None:
            expired.append((name, anyio.current_time() - began))

        deadlines.add("ann", SECONDS, lambda: note("late"))
        await anyio.sleep(1)
        deadlines.add("ann", 2.0, lambda: note("early"))
        deadlines.add("bob", 2.0, lambda: note("bob"))
        deadlines.add("bob", 0.0, lambda: note("at once"))
        await anyio.sleep(2 * SECONDS)

    run(backend, scenario)

    assert [(name, round(at)) for name, at in expired] == [("at once", 1), ("early", 3)]


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@given(
    steps=st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from([0.0, 1.0, 2.5, 9.0, None])))
)
@settings(max_examples=30)
def test_whatever_is_added_and_discarded_each_expires_when_it_is_due(
    backend: Backend, steps: list[tuple[str, float | None]]
) -> None:
    expired: list[tuple[str, float]] = []
    wanted: list[tuple[str, float]] = []
    due: dict[str, float] = {}

    def pass_by(now: float) -> None:
        wanted.extend((name, at) for name, at in due.items() if at < now)
        for name, at in list(due.items()):
            if at < now:
                del due[name]

    async def scenario(deadlines: Deadlines) -> None:
        for number, (name, seconds) in enumerate(steps):
            # Never at the same time as a deadline: none of their times is a multiple of it.
            now = number * 0.7
            await anyio.sleep(now - anyio.current_time() + began)
            pass_by(now)
            if seconds is None:
                deadlines.discard(name)
                due.pop(name, None)
            else:
                deadlines.add(name, seconds, lambda name=name: note(name))  # type: ignore[misc]
                due[name] = now + seconds
        await anyio.sleep(20)
        pass_by(float("inf"))

    def note(name: str) -> None:
        expired.append((name, anyio.current_time() - began))

    began = 0.0

    async def begun(deadlines: Deadlines) -> None:
        nonlocal began
        began = anyio.current_time()
        await scenario(deadlines)

    run(backend, begun)

    assert sorted((name, round(at, 3)) for name, at in expired) == sorted(
        (name, round(at, 3)) for name, at in wanted
    )


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_failure_is_logged_and_ends_no_other(
    backend: Backend, caplog: pytest.LogCaptureFixture
) -> None:
    expired: list[str] = []

    def fail() -> None:
        deadlines_of[0].discard("bob")
        raise RuntimeError("a fault")

    deadlines_of: list[Deadlines] = []

    async def scenario(deadlines: Deadlines) -> None:
        deadlines_of.append(deadlines)
        deadlines.add("ann", SECONDS, fail)
        for name in ("bob", "cid"):
            deadlines.add(name, SECONDS, lambda name=name: expired.append(name))  # type: ignore[misc]
        await anyio.sleep(2 * SECONDS)

    run(backend, scenario)

    assert expired == ["cid"]
    assert [one.levelno for one in caplog.records] == [logging.ERROR]


async def test_a_server_that_was_busy_reads_first() -> None:
    now = 0.0
    deadlines, expired = Deadlines(lambda: now), list[str]()
    deadlines.add("ann", 0.01, lambda: expired.append("ann"))
    deadlines.add("bob", 0.01, lambda: expired.append("bob"))
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(deadlines.run)
        await anyio.wait_all_tasks_blocked()
        # The loop was blocked for so long.
        now = 2 * LATE_SECONDS
        await anyio.sleep(0.05)
        assert expired == []

        deadlines.discard("ann")
        await anyio.sleep(LATE_SECONDS)
        tasks.cancel_scope.cancel()

    assert expired == ["bob"]
