"""
Places in order, with a look-up of a position that hardly depends on how many there are. Pure.

A million places lie all over memory, and a bisection that compared them would wait for the memory
at each step. So the places are in runs, and each run has the keys of its places in one array:
only places of the same key are compared themselves. The places of runs are counted, and those of
groups of runs: a sum of some dozen numbers is the position of a run.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from itertools import accumulate, chain, islice
from operator import attrgetter

import msgspec

__all__ = ["RUN_PLACES", "FrozenPlaces", "Place", "SortedPlaces"]

# Places of a run; it can grow to twice as many, and shrink to half.
RUN_PLACES = 1_000
# Runs of a group: about as many as a large board has groups.
GROUP_RUNS = 32


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

    __slots__ = ("keys", "places", "shared")

    def __init__(self, places: list[Place]) -> None:
        self.places = places
        # True if others have this list: it is copied before it changes.
        self.shared = False
        self.keys = array("d", [place.key for place in places])

    def find(self, place: Place) -> int:
        """Return the number of places before one."""
        # Rounding keeps the order, and a score is exact anyway.
        keys, key = self.keys, float(place.key)
        at = bisect_left(keys, key)
        # Nearly always it is the first of its key, or the only one.
        if at < len(keys) and keys[at] == key and self.places[at] is not place:
            last = bisect_right(keys, key, at)
            at = bisect_left(self.places, _later(place), at, last, key=_later)
        return at

    def insert(self, at: int, place: Place) -> None:
        if self.shared:
            self._copy()
        self.places.insert(at, place)
        self.keys.insert(at, place.key)

    def remove(self, at: int) -> None:
        if self.shared:
            self._copy()
        del self.places[at], self.keys[at]

    def _copy(self) -> None:
        self.places, self.shared = self.places.copy(), False


class FrozenPlaces:
    """
    Places in order that never change.

    Args:
        runs: the places, in several lists.
    """

    __slots__ = ("_ends", "_runs")

    def __init__(self, runs: Sequence[Sequence[Place]]) -> None:
        self._runs = runs
        self._ends = list(accumulate(map(len, runs)))

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    def page(self, after: int, limit: int) -> list[Place]:
        """Return the places after a number of them."""
        number = bisect_right(self._ends, after)
        if number:
            after -= self._ends[number - 1]
        rest = chain.from_iterable(self._runs[number:])
        return list(islice(rest, after, after + limit))


class SortedPlaces:
    """
    Places in order.

    Args:
        places: in order or not.
    """

    __slots__ = ("_added", "_counts", "_ends", "_groups", "_runs")

    def __init__(self, places: Iterable[Place] = ()) -> None:
        ordered = sorted(places)
        firsts = range(0, len(ordered) or 1, RUN_PLACES)
        self._runs = [_Run(ordered[at : at + RUN_PLACES]) for at in firsts]
        # Up to here go the places of each run but the last, whether or not it still has this one.
        self._ends = _Run([run.places[-1] for run in self._runs[:-1]])
        # The place that came last, with its run and where it is there, until anything changes:
        # the next question is nearly always its rank.
        self._added: tuple[Place, int, int] | None = None
        self._count()

    def __iter__(self) -> Iterator[Place]:
        """Iterate over all places in order."""
        return chain.from_iterable(run.places for run in self._runs)

    def frozen(self) -> FrozenPlaces:
        """Return the places as they are now, at the cost of a copy of each run that changes."""
        for run in self._runs:
            run.shared = True
        return FrozenPlaces([run.places for run in self._runs])

    def add(self, place: Place) -> None:
        """Add a place."""
        number, at = self._find(place)
        run = self._runs[number]
        run.insert(at, place)
        self._note(number, 1)
        self._added = place, number, at
        if len(run.places) > 2 * RUN_PLACES:
            self._split(number)

    def remove(self, place: Place) -> None:
        """Remove a place, which is there."""
        number, at = self._find(place)
        run = self._runs[number]
        assert run.places[at] == place
        run.remove(at)
        self._note(number, -1)
        self._added = None
        if len(run.places) < RUN_PLACES // 2 and len(self._runs) > 1:
            self._merge(min(number, len(self._runs) - 2))

    def count_before(self, place: Place) -> int:
        """Return the number of places before one, which need not be there."""
        number, at = self._find(place)
        group = number // GROUP_RUNS
        return sum(self._groups[:group]) + sum(self._counts[group * GROUP_RUNS : number]) + at

    def page(self, after: int, limit: int) -> list[Place]:
        """Return the places after a number of them."""
        group, after = _part_at(self._groups, after)
        first = group * GROUP_RUNS
        number, after = _part_at(self._counts[first : first + GROUP_RUNS], after)
        rest = chain.from_iterable(run.places for run in self._runs[first + number :])
        return list(islice(rest, after, after + limit))

    def _find(self, place: Place) -> tuple[int, int]:
        """Return the run that a place is in or belongs into, and where there."""
        if (added := self._added) is not None and added[0] is place:
            return added[1], added[2]
        number = self._ends.find(place)
        return number, self._runs[number].find(place)

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
        """Count the places of all runs, some of which are new."""
        self._added = None
        self._counts = counts = [len(run.places) for run in self._runs]
        firsts = range(0, len(counts), GROUP_RUNS)
        self._groups = [sum(counts[first : first + GROUP_RUNS]) for first in firsts]

    def _note(self, number: int, more: int) -> None:
        """Count places that were added to a run, or removed from it."""
        self._counts[number] += more
        self._groups[number // GROUP_RUNS] += more


def _part_at(counts: Sequence[int], position: int) -> tuple[int, int]:
    """Return the part that has a position, by the counts of all, and the position in it."""
    ends = list(accumulate(counts))
    number = min(bisect_right(ends, position), len(ends) - 1)
    return number, position - ends[number] + counts[number]
