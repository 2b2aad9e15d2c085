"""
Scores: the numbers that are valid scores, and exact sums of them. Pure.

A float stands for the number that its shortest decimal form names: 0.1 is a tenth. Sums are
computed on those decimals, so that three times 0.1 is 0.3 in whatever order the scores arrive.
Whole numbers stay whole numbers. Binary fractions would be exact too, but then three times 0.1
would not be 0.3, which is what a player sees and expects.
"""

from __future__ import annotations

from decimal import Context, Decimal, Inexact

from ..errors import Invalid
from ..shown import shown

__all__ = ["SCORE_MAX", "add_exactly", "check_score", "exact", "rounded"]

# The largest score: up to here a double, which most clients use for the numbers of JSON, is
# exact.
SCORE_MAX = 1 << 53
# Digits of a sum: from 2**53 down to the last digit of the smallest double there are fewer.
DIGITS_MAX = 400

# It raises instead of rounding, so an inexact sum cannot go unnoticed.
_exactly = Context(prec=DIGITS_MAX, traps=[Inexact])


def check_score(score: object) -> int | float:
    """
    Return a score that JSON can hold exactly; -0.0 becomes 0.0.

    Raises:
        Invalid: it is not a number, not finite, or too far from 0.
    """
    # A bool is an int in Python, and NaN is within no limits.
    if type(score) not in (int, float) or not -SCORE_MAX <= score <= SCORE_MAX:  # type: ignore[operator]
        raise Invalid(f"A score must be a number from -2**53 to 2**53, not {shown(score)}.")
    return score + 0  # type: ignore[operator]


def exact(score: float) -> int | Decimal:
    """Return the exact number that a score stands for."""
    return score if isinstance(score, int) else Decimal(repr(score))


def add_exactly(total: int | Decimal, more: int | Decimal) -> int | Decimal:
    """Add two exact numbers exactly."""
    if isinstance(total, int) and isinstance(more, int):
        return total + more
    return _exactly.add(Decimal(total), Decimal(more))


def rounded(total: float | Decimal) -> int | float:
    """Return the score of a total: the same number, or the nearest double; never -0.0."""
    return total if isinstance(total, int) else float(total) + 0.0
