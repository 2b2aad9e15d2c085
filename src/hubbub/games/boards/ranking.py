"""Entries in the order of their rank, and by user. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from .sorted_places import FrozenPlaces, Place, SortedPlaces

__all__ = ["Ranking"]

_EARLIEST_US = -(1 << 63)


class Ranking:
    """
    All places of a board.

    Args:
        places: in order or not.
    """

    __slots__ = ("_by_user", "_places")

    def __init__(self, places: Iterable[Place] = ()) -> None:
        self._places = SortedPlaces(places)
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
        return self._places.count_before(place) + 1

    def count_before(self, key: float, seq: int) -> int:
        """Return the number of places before the one that a score and a seq would have."""
        # No time is this early, so it sorts before a place of the same score and seq.
        return self._places.count_before(Place(key, seq, _EARLIEST_US, ""))

    def frozen(self) -> FrozenPlaces:
        """Return the places as they are now; later changes do not show in them."""
        return self._places.frozen()

    def page(self, after: int, limit: int) -> list[Place]:
        """Return the places after a rank."""
        return self._places.page(after, limit)
