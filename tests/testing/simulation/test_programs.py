"""Concurrent programs find races, and shrink."""

from __future__ import annotations

from typing import Any

import anyio
import anyio.lowlevel
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from hubbub.testing.simulation import History, Program, programs, run_program, simulate
from tests.event_loop import Backend
from tests.testing.simulation import toys

CALLS = {"add": st.tuples(st.sampled_from(["mug", "pen"])), "count": st.just(())}


class Cart(toys.Cart):
    """The naive cart, which can count."""

    async def count(self) -> int:
        """Return how many things there are."""
        return sum(self.quantities.values())


class CarefulCart(Cart):
    """The same with a lock."""

    def __init__(self) -> None:
        super().__init__()
        self._lock = anyio.Lock()

    async def add(self, sku: str) -> None:
        async with self._lock:
            await super().add(sku)

    async def count(self) -> int:
        async with self._lock:
            return await super().count()


class Counting:
    """A model of a cart."""

    initial = 0

    def apply(self, state: int, operation: tuple[Any, ...]) -> tuple[int, object]:
        return (state, state) if operation[0] == "count" else (state + 1, None)


def check(cart: type[Cart], program: Program, seed: int, backend: Backend) -> None:
    async def run() -> History[tuple[Any, ...]]:
        target = cart()
        history = await run_program(program, target)
        return await run_program([[("count",)]], target, history)

    history = simulate(run, backend=backend, seed=seed)
    assert (found := history.linearizable(Counting())) is None, found


def test_a_race_is_found_and_made_short(backend: Backend) -> None:
    failing: list[Program] = []

    @settings(max_examples=300, database=None, phases=[Phase.generate, Phase.shrink], deadline=None)
    @given(programs(CALLS), st.integers(0, 1_000))
    def look(program: Program, seed: int) -> None:
        try:
            check(Cart, program, seed, backend)
        except AssertionError:
            failing.append(program)
            raise

    with pytest.raises(AssertionError):
        look()
    # Two tasks that add the same product, and nothing else.
    assert sorted(len(steps) for steps in failing[-1]) == [1, 1]
    assert {step[0] for steps in failing[-1] for step in steps} == {"add"}


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(program=programs(CALLS), seed=st.integers(0, 1_000))
def test_a_careful_cart_passes(program: Program, seed: int, backend: Backend) -> None:
    check(CarefulCart, program, seed, backend)


async def test_a_call_that_raises_is_recorded_and_its_task_goes_on() -> None:
    class Odd:
        async def fail(self) -> None:
            raise ValueError("no")

        async def work(self) -> int:
            await anyio.lowlevel.checkpoint()
            return 1

    history = await run_program([[("fail",), ("work",)]], Odd())

    assert [type(call.result) for call in history.calls] == [ValueError, int]


@given(programs(CALLS, tasks=2, calls=3))
def test_programs_are_as_large_as_asked_for(program: Program) -> None:
    assert 1 <= len(program) <= 2
    assert all(len(steps) <= 3 for steps in program)
