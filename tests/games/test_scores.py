"""Scores are numbers that JSON can hold, and their sums are exact."""

from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction
from functools import reduce
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubbub.errors import Invalid
from hubbub.games.scores import DIGITS_MAX, SCORE_MAX, add_exactly, check_score, exact, rounded

scores = st.integers(-SCORE_MAX, SCORE_MAX) | st.floats(-float(SCORE_MAX), float(SCORE_MAX))


def total(*summed: float) -> int | float:
    return rounded(reduce(add_exactly, map(exact, summed)))


@pytest.mark.parametrize(
    ("summed", "expected"),
    [
        ((0.1, 0.1, 0.1), 0.3),
        ((0.1,) * 10, 1.0),
        ((0.1, 0.2, -0.3), 0.0),
        ((1, 2, 3), 6),
        ((float(SCORE_MAX), 0.5, -SCORE_MAX), 0.5),
        ((5e-324, 2.0**53, -(2.0**53)), 5e-324),
        ((SCORE_MAX, -1), SCORE_MAX - 1),
    ],
)
def test_a_sum_is_what_it_is_on_paper(summed: tuple[float, ...], expected: float) -> None:
    for order in permutations(summed) if len(summed) < 5 else [summed]:
        assert total(*order) == expected


def test_whole_numbers_stay_whole_numbers() -> None:
    assert type(total(1, 2)) is int
    assert type(total(1, 2.0)) is float


@given(st.lists(scores, min_size=1, max_size=30), st.randoms(use_true_random=False))
def test_a_sum_does_not_depend_on_the_order(summed: list[float], chance: object) -> None:
    shuffled = sorted(summed, key=lambda _: chance.random())  # type: ignore[attr-defined]
    on_paper = sum(Fraction(repr(score)) for score in summed)

    assert total(*shuffled) == total(*summed)
    assert Fraction(reduce(add_exactly, map(exact, summed))) == on_paper


@given(scores)
def test_the_number_that_a_score_stands_for_is_shown_as_that_score(score: float) -> None:
    assert rounded(exact(score)) == score


@given(scores)
def test_there_is_no_minus_zero(score: float) -> None:
    for shown in (check_score(score), rounded(exact(score)), total(score, -score)):
        assert shown != 0 or math.copysign(1, shown) == 1


def test_no_sum_has_more_digits_than_are_kept() -> None:
    most = Decimal(SCORE_MAX) + Decimal(repr(2.2250738585072014e-308))

    assert len(most.as_tuple().digits) < DIGITS_MAX
    assert add_exactly(SCORE_MAX, exact(5e-324)) - SCORE_MAX == Decimal("5e-324")


@pytest.mark.parametrize(
    "score",
    [
        10**400,
        pytest.param(10**5_000, id="many digits"),
        2**70,
        2.0**70,
        math.inf,
        math.nan,
        "1",
        None,
        True,
        [1],
        1j,
    ],
)
def test_what_is_no_score_is_refused(score: object) -> None:
    with pytest.raises(Invalid, match=r"from -2\*\*53 to 2\*\*53"):
        check_score(score)
