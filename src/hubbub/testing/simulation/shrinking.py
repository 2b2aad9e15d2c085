"""Makes a failing list smaller, as long as it still fails."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

__all__ = ["shorter", "simpler"]

T = TypeVar("T")


def simpler(numbers: Sequence[int], fails: Callable[[list[int]], bool], tries: int) -> list[int]:
    """
    Put zeros in the place of as many numbers as possible.

    Args:
        numbers: a list that fails.
        fails: says whether a list fails.
        tries: how often to try at most.

    Returns:
        A list that fails, without zeros at its end.
    """
    best = _stripped(numbers)
    left = tries
    for start, end in _pieces(len(best)):
        # Earlier pieces may have made it shorter.
        if not any(best[start:end]):
            continue
        if left == 0:
            break
        left -= 1
        tried = _stripped([*best[:start], *([0] * (end - start)), *best[end:]])
        if fails(tried):
            best = tried
    return best


def shorter(items: Sequence[T], fails: Callable[[list[T]], bool], tries: int) -> list[T]:
    """
    Leave out as many items as possible.

    "Simplifying and Isolating Failure-Inducing Input" (Zeller, Hildebrandt, 2002), with
    the complements alone.

    Args:
        items: a list that fails.
        fails: says whether a list fails.
        tries: how often to try at most.
    """
    best = list(items)
    size, left = max(1, len(best) // 2), tries
    while best:
        start, found = 0, False
        while start < len(best) and left > 0:
            left -= 1
            tried = best[:start] + best[start + size :]
            if fails(tried):
                best, found = tried, True
            else:
                start += size
        if left == 0 or (size == 1 and not found):
            break
        size = max(1, size // 2)
    return best


def _pieces(length: int) -> Iterator[tuple[int, int]]:
    """Yield halves, quarters … of a range, to single places."""
    size = length
    while size >= 1:
        for start in range(0, length, size):
            yield start, min(start + size, length)
        size //= 2


def _stripped(numbers: Sequence[int]) -> list[int]:
    end = len(numbers)
    while end and numbers[end - 1] == 0:
        end -= 1
    return list(numbers[:end])
