"""
The players in a matchmaking queue, grouped by rating. Pure.

A new player accepts opponents with a close rating; a player who has waited accepts more. A
group plays if its player who has waited longest accepts its spread, so every player gets a match
in the end. If several groups could play, the group with the smallest spread does.

Players who could play together are neighbours by rating. So a player who joins or leaves changes
only the groups around them, and the cost does not depend on how many players wait.
"""

from __future__ import annotations

import math
from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator, Sequence
from heapq import heappop, heappush
from itertools import count

import msgspec

__all__ = [
    "HEAP_SPARE",
    "Pool",
    "Ticket",
    "Widening",
    "by_rating",
    "group_with",
    "place_in",
    "ready_at",
]

# Entries of a pool's heaps beyond four for each player, before the pool drops outdated entries.
HEAP_SPARE = 64


class Widening(msgspec.Struct, frozen=True):
    """
    How far apart ratings can be.

    Args:
        at_first: for a player who has just joined the queue.
        per_second: how much more for each second of waiting; 0 for no more.
    """

    at_first: float
    per_second: float


class Ticket(msgspec.Struct, frozen=True):
    """
    A waiting player.

    Args:
        user: the user's id.
        rating: the user's rating.
        since: when the user joined, in seconds since the epoch.
        number: breaks ties between equal ratings; the lower joined first.
        key: the idempotency key of the search.
        node: the node where the user waits.
    """

    user: str
    rating: float
    since: float
    number: int
    key: str = ""
    node: str = ""


class _Group(msgspec.Struct, frozen=True, gc=False):
    """Neighbours who could play together, from the time when they are ready."""

    spread: float
    ready: float
    tickets: tuple[Ticket, ...]


def ready_at(group: Sequence[Ticket], widening: Widening) -> float:
    """Return when a group, in order of rating, can play; infinity for never."""
    since = min(one.since for one in group)
    beyond = group[-1].rating - group[0].rating - widening.at_first
    if beyond <= 0:
        return since
    return since + beyond / widening.per_second if widening.per_second else math.inf


def by_rating(ticket: Ticket) -> tuple[float, int, str]:
    """Return the place of a player among all who wait: they are in order of rating."""
    return ticket.rating, ticket.number, ticket.user


def place_in(tickets: Sequence[Ticket], ticket: Ticket) -> int:
    """Return the index that a player has, or would have, among players in order."""
    return bisect_left(tickets, by_rating(ticket), key=by_rating)


def group_with(  # noqa: PLR0913
    ticket: Ticket,
    below: Iterable[Ticket],
    above: Iterable[Ticket],
    size: int,
    widening: Widening,
    now: float,
) -> list[Ticket] | None:
    """
    Return the group with the smallest spread in which a player can play now, if there is one.

    Args:
        ticket: the player.
        below: the players before them in order, the nearest first.
        above: the players after them in order, the nearest first.
        size: the number of players in a match.
        widening: how far apart their ratings can be.
        now: the time, in seconds since the epoch.
    """
    before = [one for _, one in zip(range(size - 1), below, strict=False)]
    after = [one for _, one in zip(range(size - 1), above, strict=False)]
    groups = _groups([*reversed(before), ticket, *after], size, widening)
    ready = [group for group in groups if group.ready <= now]
    return list(min(ready, key=lambda group: group.spread).tickets) if ready else None


def _groups(tickets: Sequence[Ticket], size: int, widening: Widening) -> Iterator[_Group]:
    for start in range(len(tickets) - size + 1):
        group = tuple(tickets[start : start + size])
        spread = group[-1].rating - group[0].rating
        yield _Group(spread, ready_at(group, widening), group)


# A group, after what it is ordered by: a time or a spread, the place of its first player, and a
# number, so that groups themselves are never compared.
_Entry = tuple[float, tuple[float, int, str], int, _Group]


class Pool:
    """
    The players who wait in one queue, and the groups that they form.

    Args:
        size: the number of players in a match.
        widening: how far apart their ratings can be.
        tickets: the players.
    """

    def __init__(self, size: int, widening: Widening, tickets: Iterable[Ticket] = ()) -> None:
        self._size = size
        self._widening = widening
        self._tickets = sorted(tickets, key=by_rating)
        # The first player of each group -> the group.
        self._groups: dict[str, _Group] = {}
        # Heaps: groups by when they are ready, and ready groups by spread. Groups that have
        # changed since are passed over.
        self._coming: list[_Entry] = []
        self._ready: list[_Entry] = []
        self._numbers = count()
        for group in _groups(self._tickets, size, widening):
            self._note(group)

    def add(self, ticket: Ticket) -> None:
        """Let a player join."""
        insort(self._tickets, ticket, key=by_rating)
        self._look_around(place_in(self._tickets, ticket))

    def discard(self, ticket: Ticket) -> None:
        """Let a player leave; if they are not there, nothing happens."""
        tickets, place = self._tickets, place_in(self._tickets, ticket)
        if place < len(tickets) and tickets[place] == ticket:
            del tickets[place]
            self._groups.pop(ticket.user, None)
            self._look_around(place)

    def take(self, now: float) -> list[Ticket] | None:
        """Let a group that plays leave, and return it; see :meth:`group`."""
        group = self.group(now)
        for ticket in group or ():
            self.discard(ticket)
        return group

    def group(self, now: float) -> list[Ticket] | None:
        """
        Return the group with the smallest spread of all groups that can play, if there is one.

        Args:
            now: the time, in seconds since the epoch.
        """
        while (first := self._first(self._coming)) is not None and first.ready <= now:
            self._push(self._ready, first.spread, heappop(self._coming)[-1])
        while (first := self._first(self._ready)) is not None and first.ready > now:
            # The clock was set back.
            self._push(self._coming, first.ready, heappop(self._ready)[-1])
        return None if first is None else list(first.tickets)

    def next(self) -> float | None:
        """Return when a group can play if no player joins or leaves; None for never."""
        found = (self._first(self._ready), self._first(self._coming))
        return min((group.ready for group in found if group is not None), default=None)

    def _look_around(self, place: int) -> None:
        """Note the groups that change because a player comes to a place, or leaves it."""
        first = max(0, place - self._size + 1)
        near = self._tickets[first : place + self._size]
        for ticket in near[: place - first + 1]:
            self._groups.pop(ticket.user, None)
        for group in _groups(near, self._size, self._widening):
            self._note(group)
        if len(self._coming) + len(self._ready) > 4 * len(self._tickets) + HEAP_SPARE:
            self._coming, self._ready = [], []
            for group in list(self._groups.values()):
                self._note(group)

    def _note(self, group: _Group) -> None:
        self._groups[group.tickets[0].user] = group
        if group.ready < math.inf:
            self._push(self._coming, group.ready, group)

    def _push(self, heap: list[_Entry], order: float, group: _Group) -> None:
        heappush(heap, (order, by_rating(group.tickets[0]), next(self._numbers), group))

    def _first(self, heap: list[_Entry]) -> _Group | None:
        while heap:
            group = heap[0][-1]
            if self._groups.get(group.tickets[0].user) is group:
                return group
            heappop(heap)
        return None
