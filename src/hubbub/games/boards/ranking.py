"""
Entries in the order of their rank, with an O(log n) look-up of a position.

A sorted list of lists with an index of positions, from the sortedcontainers library.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any

import msgspec
from sortedcontainers import SortedList

__all__ = ["Place", "Ranking"]

_EARLIEST_US = -(1 << 63)


class Place(msgspec.Struct, frozen=True, order=True, gc=False, array_like=True):
    """
    A user's place on a board; places compare by their fields.

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


class Ranking:
    """
    All places of a board.

    Args:
        places: in order or not.
    """

    __slots__ = ("_by_user", "_places")

    def __init__(self, places: Iterable[Place] = ()) -> None:
        self._places: SortedList[Any] = SortedList(places)
        self._by_user: dict[str, Place] = {place.user: place for place in self._places}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Ranking) and self._by_user == other._by_user

    __hash__ = None  # type: ignore[assignment]

    def __len__(self) -> int:
        return len(self._by_user)

    def __iter__(self) -> Iterator[Place]:
        """Iterate over all places, the best first."""
        return iter(self._places)

    def get(self, user: str) -> Place | None:
        """Return a user's place, or None."""
        return self._by_user.get(user)

    def put(self, place: Place) -> None:
        """Set a user's place, and replace the previous one."""
        before = self._by_user.get(place.user)
        if before is not None:
            self._places.remove(before)
        self._places.add(place)
        self._by_user[place.user] = place

    def rank(self, place: Place) -> int:
        """Return a place's rank; 1 is the best."""
        return int(self._places.index(place)) + 1

    def count_before(self, key: float, seq: int) -> int:
        """Return the number of places before the one that a score and a seq would have."""
        # No time is this early, so it sorts before a place of the same score and seq.
        return int(self._places.bisect_left(Place(key, seq, _EARLIEST_US, "")))

    def page(self, after: int, limit: int) -> list[Place]:
        """Return the places after a rank."""
        return list(self._places.islice(after, after + limit))
