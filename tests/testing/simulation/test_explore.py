"""explore: races are found, told and repeated."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import anyio
import pytest

from hubbub.testing.simulation import explore, simulate
from hubbub.testing.simulation.explore import LISTED_MAX, SHRINK_RUNS_MAX, SHRINK_SECONDS_MAX
from tests.event_loop import Backend
from tests.testing.simulation import toys

RACES = [toys.first_adds, toys.order_matters, toys.late_reader, toys.in_threads]


def notes_of(race: Callable[[], Awaitable[object]], backend: Backend) -> list[str]:
    with pytest.raises(AssertionError) as failed:
        explore(race, backend=backend, seeds=300)
    return failed.value.__notes__


@pytest.mark.parametrize("race", RACES)
def test_a_race_is_found(race: Callable[[], Awaitable[object]], backend: Backend) -> None:
    assert "seeds passed before it" in notes_of(race, backend)[0]


@pytest.mark.parametrize("race", RACES)
def test_the_seed_of_a_race_repeats_it(
    race: Callable[[], Awaitable[object]], backend: Backend
) -> None:
    seed = int(notes_of(race, backend)[0].split()[1])

    for _ in range(5):
        with pytest.raises(AssertionError):
            simulate(race, backend=backend, seed=seed)


def test_a_failure_is_told_with_few_choices_out_of_order(backend: Backend) -> None:
    notes = notes_of(toys.order_matters, backend)

    assert notes[1].startswith("It needs 1 of ")
    assert "pay_in runs before" in notes[2]


def test_a_failure_that_needs_no_order_says_so(backend: Backend) -> None:
    notes = notes_of(toys.first_adds, backend)

    assert notes[1].startswith("It fails in the order in which the tasks were made")


def test_a_shuffle_alone_does_not_find_what_holding_back_finds(backend: Backend) -> None:
    notes = notes_of(toys.late_reader, backend)

    assert any("is held back" in note for note in notes)


def test_a_function_without_a_race_passes(backend: Backend) -> None:
    async def locked_adds() -> None:
        cart, lock = toys.Cart(), anyio.Lock()

        async def add() -> None:
            async with lock:
                await cart.add("mug")

        async with anyio.create_task_group() as tasks:
            for _ in range(3):
                tasks.start_soon(add)
        assert cart.quantities == {"mug": 3}

    explore(locked_adds, backend=backend, seeds=100)


def test_a_failure_that_does_not_repeat_is_called_so(backend: Backend) -> None:
    runs: list[int] = []

    async def fail_once() -> None:
        runs.append(1)
        assert len(runs) != 3

    with pytest.raises(AssertionError) as failed:
        explore(fail_once, backend=backend, seeds=5)

    assert "something else decides" in failed.value.__notes__[1]


def test_seeds_can_be_chosen(backend: Backend) -> None:
    runs: list[int] = []

    async def count() -> None:
        runs.append(1)

    explore(count, backend=backend, seeds=[7, 9])

    assert len(runs) == 2


def test_making_a_failure_simpler_has_limits(
    backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs: list[int] = []

    async def always_wrong() -> None:
        runs.append(1)
        async with anyio.create_task_group() as tasks:
            for _ in range(3):
                tasks.start_soon(anyio.sleep, 1)
        await toys.order_matters()

    with pytest.raises(AssertionError):
        explore(always_wrong, backend=backend, seeds=300)

    assert len(runs) <= 300 + SHRINK_RUNS_MAX
    assert SHRINK_SECONDS_MAX <= 60


def test_a_note_lists_only_so_many_choices(backend: Backend) -> None:
    async def reverse() -> None:
        order: list[int] = []

        async def run(number: int) -> None:
            await anyio.sleep(1)
            order.append(number)

        async with anyio.create_task_group() as tasks:
            for number in range(40):
                tasks.start_soon(run, number)
        moved = sum(at != number for at, number in enumerate(order))
        assert moved < 38

    assert len(notes_of(reverse, backend)) <= 2 + LISTED_MAX + 1
