"""always and eventually."""

from __future__ import annotations

import anyio
import anyio.lowlevel
import pytest

from hubbub.testing.simulation import always, eventually, simulate
from hubbub.testing.simulation.checks import LOOK_SECONDS_MAX
from tests.event_loop import Backend


def test_always_sees_what_holds_again_at_the_end(backend: Backend) -> None:
    async def dip() -> None:
        balance = 10

        async def pay() -> None:
            nonlocal balance
            balance -= 20
            await anyio.lowlevel.checkpoint()
            balance += 20

        def is_covered() -> bool:
            return balance >= 0

        with always(is_covered):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(pay)

    with pytest.raises(AssertionError, match="is_covered does not hold"):
        simulate(dip, backend=backend, seed=1)


def test_always_passes_what_holds(backend: Backend) -> None:
    checked = 0

    def count() -> None:
        nonlocal checked
        checked += 1

    async def wait() -> None:
        with always(count):
            for _ in range(10):
                await anyio.lowlevel.checkpoint()
        await anyio.lowlevel.checkpoint()

    simulate(wait, backend=backend, seed=1)

    assert checked >= 10


async def test_always_needs_a_simulation() -> None:
    with pytest.raises(RuntimeError, match="No simulation"), always(lambda: True):
        pass


def test_eventually_waits_until_it_is_true(backend: Backend) -> None:
    async def wait() -> float:
        await eventually(lambda: anyio.current_time() >= 5, within=10)
        return anyio.current_time()

    assert 5 <= simulate(wait, backend=backend, seed=1) <= 5 + LOOK_SECONDS_MAX


def test_eventually_fails_in_time(backend: Backend) -> None:
    async def wait() -> None:
        await eventually(lambda: False, within=10)

    with pytest.raises(AssertionError, match="did not come true in 10 s"):
        simulate(wait, backend=backend, seed=1)


def test_eventually_says_what_still_failed(backend: Backend) -> None:
    def check() -> bool:
        raise AssertionError("3 are missing")

    async def wait() -> None:
        await eventually(check, within=1)

    with pytest.raises(AssertionError) as failed:
        simulate(wait, backend=backend, seed=1)
    assert str(failed.value.__cause__) == "3 are missing"
