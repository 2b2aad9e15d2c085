"""
Places in order, with an O(log n) look-up of a position. Pure.

A million places lie all over memory, and a bisection that compared them would wait for the memory
at each step. So the places are in runs, and each run has the keys of its places in one array:
only places of the same key are compared themselves.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from decimal import Decimal
from itertools import chain, islice
from operator import attrgetter

import msgspec

__all__ = ["RUN_PLACES", "Place", "SortedPlaces"]

# Places of a run; it can grow to twice as many, and shrink to half.
RUN_PLACES = 1_000


class Place(msgspec.Struct, frozen=True, order=True, gc=False, array_like=True):
    """
    A user's place on a board; places compare by their fields, so the best is the least.

    Args:
        key: the score, negated if the highest is the best.
        seq: the event that reached the score; the earlier is better.
        at_us: its time, in microseconds since 1970, which is compact: memory may hold a million.
        user: the user's id.
        nickname: None if it is the user's id.
        total: the exact sum of the scores, if a double cannot hold it; else None.
    """

    key: int | float
    seq: int
    at_us: int
    user: str
    nickname: str | None = None
    total: Decimal | None = None


# The order of places with the same key. Their nicknames can change, so they do not count.
_later = attrgetter("seq", "user")


class _Run:
    """Some places in order, and their keys."""

    __slots__ = ("keys", "places")

    def __init__(self, places: list[Place]) -> None:
        self.places = places
        self.keys = array("d", [place.key for place in places])

    def find(self, place: Place) -> int:
        """Return the number of places before one."""
        # Rounding keeps the order, and a score is exact anyway.
        keys, key = self.keys, float(place.key)
        at = bisect_left(keys, key)
        if at < len(keys) and keys[at] == key:
            last = bisect_right(keys, key, at)
            at = bisect_left(self.places, _later(place), at, last, key=_later)
        return at

    def insert(self, at: int, place: Place) -> None:
        self.places.insert(at, place)
        self.keys.insert(at, place.key)

    def remove(self, at: int) -> None:
        del self.places[at], self.keys[at]


class SortedPlaces:
    """
    Places in order.

    Args:
        places: in order or not.
    """

    __slots__ = ("_counts", "_ends", "_runs")

    def __init__(self, places: Iterable[Place] = ()) -> None:
        ordered = sorted(places)
        firsts = range(0, len(ordered) or 1, RUN_PLACES)
        self._runs = [_Run(ordered[at : at + RUN_PLACES]) for at in firsts]
        # Up to here go the places of each run but the last, whether or not it still has this one.
        self._ends = _Run([run.places[-1] for run in self._runs[:-1]])
        self._count()

    def __iter__(self) -> Iterator[Place]:
        """Iterate over all places in order."""
        return chain.from_iterable(run.places for run in self._runs)

    def add(self, place: Place) -> None:
        """Add a place."""
        number = self._ends.find(place)
        run = self._runs[number]
        run.insert(run.find(place), place)
        self._note(number, 1)
        if len(run.places) > 2 * RUN_PLACES:
            self._split(number)

    def remove(self, place: Place) -> None:
        """Remove a place, which is there."""
        number = self._ends.find(place)
        run = self._runs[number]
        at = run.find(place)
        assert run.places[at] == place
        run.remove(at)
        self._note(number, -1)
        if len(run.places) < RUN_PLACES // 2 and len(self._runs) > 1:
            self._merge(min(number, len(self._runs) - 2))

    def count_before(self, place: Place) -> int:
        """Return the number of places before one, which need not be there."""
        number = self._ends.find(place)
        before = self._runs[number].find(place)
        while number:
            before += self._counts[number]
            number &= number - 1
        return before

    def page(self, after: int, limit: int) -> list[Place]:
        """Return the places after a number of them."""
        number, counts = 0, self._counts
        step = 1 << len(counts).bit_length()
        while step := step >> 1:
            if number + step < len(counts) and counts[number + step] <= after:
                number += step
                after -= counts[number]
        rest = chain.from_iterable(run.places for run in self._runs[number:])
        return list(islice(rest, after, after + limit))

    def _split(self, number: int) -> None:
        places = self._runs[number].places
        middle = len(places) // 2
        self._runs[number : number + 1] = _Run(places[:middle]), _Run(places[middle:])
        self._ends.insert(number, places[middle - 1])
        self._count()

    def _merge(self, number: int) -> None:
        """Make one run of two."""
        both = self._runs[number : number + 2]
        self._runs[number : number + 2] = [_Run([*both[0].places, *both[1].places])]
        self._ends.remove(number)
        self._count()
        if len(self._runs[number].places) > 2 * RUN_PLACES:
            self._split(number)

    def _count(self) -> None:
        """Count the places of all runs, in a binary indexed tree: 1 is the first run."""
        self._counts = counts = [0, *(len(run.places) for run in self._runs)]
        for number in range(1, len(counts)):
            if (above := number + (number & -number)) < len(counts):
                counts[above] += counts[number]

    def _note(self, number: int, more: int) -> None:
        """Count places that were added to a run, or removed from it."""
        counts = self._counts
        number += 1
        while number < len(counts):
            counts[number] += more
            number += number & -number
