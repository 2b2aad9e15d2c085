"""Failing lists become smaller."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hubbub.testing.simulation.shrinking import shorter, simpler


@given(st.lists(st.integers(0, 5), max_size=40), st.sets(st.integers(0, 39), max_size=3))
def test_only_the_numbers_that_are_needed_stay(numbers: list[int], needed: set[int]) -> None:
    def fails(tried: list[int]) -> bool:
        return all(at < len(tried) and tried[at] for at in needed)

    if fails(numbers):
        kept = simpler(numbers, fails, 1000)
        assert {at for at, number in enumerate(kept) if number} == needed


@given(st.lists(st.integers(), unique=True, max_size=40), st.data())
def test_only_the_items_that_are_needed_stay(items: list[int], data: st.DataObject) -> None:
    needed = data.draw(st.sets(st.sampled_from(items), max_size=3)) if items else set()

    kept = shorter(items, lambda tried: needed <= set(tried), 10_000)

    assert kept == [item for item in items if item in needed]


def test_a_list_is_tried_only_so_often() -> None:
    tries: list[object] = []

    def fails(tried: object) -> bool:
        tries.append(tried)
        return False

    simpler([1] * 100, fails, 7)
    shorter([1] * 100, fails, 7)

    assert len(tries) == 14
