"""Answers that clients have not taken."""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial

from hypothesis import given
from hypothesis import strategies as st

from hubbub.server.http_limits import UNSENT_BYTES_MAX
from hubbub.server.unsent import Unsent


def test_above_the_limit_the_largest_is_given_up() -> None:
    unsent, gone = Unsent(), []
    with (
        unsent.held(UNSENT_BYTES_MAX // 2, lambda: gone.append("large")),
        unsent.held(UNSENT_BYTES_MAX // 4, lambda: gone.append("small")),
        unsent.held(UNSENT_BYTES_MAX // 4, lambda: gone.append("next")),
    ):
        assert gone == []
        with unsent.held(1, lambda: gone.append("last")):
            assert gone == ["large"]

    assert unsent.count == 0


def test_of_equal_ones_the_first_is_given_up() -> None:
    unsent = Unsent()
    gone: list[int] = []
    with ExitStack() as stack:
        for number in range(5):
            held = unsent.held(UNSENT_BYTES_MAX // 4, partial(gone.append, number))
            stack.enter_context(held)

        assert gone == [0]


@given(st.lists(st.integers(1, UNSENT_BYTES_MAX * 2), max_size=20))
def test_it_is_never_more_than_the_limit(sizes: list[int]) -> None:
    unsent = Unsent()
    with ExitStack() as stack:
        for size in sizes:
            stack.enter_context(unsent.held(size, lambda: None))
            assert unsent.count <= UNSENT_BYTES_MAX

    assert unsent.count == 0
