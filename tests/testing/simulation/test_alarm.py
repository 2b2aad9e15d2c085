from __future__ import annotations

import math

import anyio
import pytest

from hubbub.testing import run_in_virtual_time
from hubbub.testing.simulation.alarm import Alarm, alarm
from tests.event_loop import Backend


async def waited(bell: Alarm, at: float) -> float:
    await bell.wait(at)
    return anyio.current_time()


def test_it_wakes_at_its_time(backend: Backend) -> None:
    async def run() -> float:
        return await waited(alarm(), 5.0)

    assert run_in_virtual_time(run, backend=backend) == pytest.approx(5.0)


@pytest.mark.parametrize(("first", "then"), [(10.0, 5.0), (5.0, 10.0), (math.inf, 5.0)])
def test_its_time_can_be_changed(first: float, then: float, backend: Backend) -> None:
    async def run() -> float:
        bell = alarm()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(bell.wait, first)
            await anyio.sleep(1)
            bell.move(then)
        return anyio.current_time()

    assert run_in_virtual_time(run, backend=backend) == pytest.approx(then)


def test_it_can_be_woken(backend: Backend) -> None:
    async def run() -> float:
        bell = alarm()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(bell.wait, math.inf)
            await anyio.sleep(1)
            bell.wake()
            bell.wake()
        return anyio.current_time()

    assert run_in_virtual_time(run, backend=backend) == pytest.approx(1.0)


def test_it_can_be_cancelled_and_used_again(backend: Backend) -> None:
    async def run() -> float:
        bell = alarm()
        with anyio.move_on_after(1):
            await bell.wait(math.inf)
        bell.move(2.0)
        bell.wake()
        return await waited(bell, 5.0)

    assert run_in_virtual_time(run, backend=backend) == pytest.approx(5.0)


def test_a_time_that_is_over_wakes_at_once(backend: Backend) -> None:
    async def run() -> float:
        await anyio.sleep(3)
        return await waited(alarm(), 1.0)

    assert run_in_virtual_time(run, backend=backend) == pytest.approx(3.0)
