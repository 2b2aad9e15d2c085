"""Choices about the order."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hubbub.testing.simulation.choices import Choices


@given(st.integers(), st.integers(0, 20), st.floats(0, 1))
def test_every_task_runs_or_is_held_back_and_at_least_one_runs(
    seed: int, number: int, pace: float
) -> None:
    tasks = list(range(number))

    runs, held = Choices(seed).arrange(tasks, lambda _: pace, str)

    assert sorted([*runs, *held]) == tasks
    assert runs or not tasks


@given(st.integers(), st.lists(st.integers(0, 99)), st.integers(0, 20))
def test_every_script_is_an_order(seed: int, script: list[int], number: int) -> None:
    tasks = list(range(number))

    runs, held = Choices(seed, script).arrange(tasks, lambda _: 0.5, str)

    assert sorted([*runs, *held]) == tasks


def test_an_empty_script_is_the_given_order() -> None:
    assert Choices(1, []).arrange([1, 2, 3], lambda _: 0.9, str) == ([1, 2, 3], [])
