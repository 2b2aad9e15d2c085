"""
The players in a matchmaking queue, grouped by rating. Pure.

A new player accepts opponents with a close rating; a player who has waited accepts more. A
group plays if its player who has waited longest accepts its spread, so every player gets a match
in the end. If several groups could play, the group with the smallest spread does.
"""

from __future__ import annotations

import math
from bisect import insort
from collections.abc import Iterator
from typing import Generic, TypeVar

import msgspec

__all__ = ["Pool", "Ticket", "Widening"]


class Widening(msgspec.Struct, frozen=True):
    """
    How far apart ratings can be.

    Args:
        at_first: for a player who has just joined the queue.
        per_second: how much more for each second of waiting; 0 for no more.
    """

    at_first: float
    per_second: float


class Ticket:
    """
    A waiting player.

    Args:
        user: the user's id.
        rating: the user's rating.
        since: when the user joined, in seconds of the monotonic clock.
        number: breaks ties between equal ratings; the lower joined first.
    """

    __slots__ = ("number", "rating", "since", "user")

    def __init__(self, user: str, rating: float, since: float, number: int) -> None:
        self.user = user
        self.rating = rating
        self.since = since
        self.number = number

    def __lt__(self, other: Ticket) -> bool:
        return (self.rating, self.number) < (other.rating, other.number)


TicketT = TypeVar("TicketT", bound=Ticket)


class Pool(Generic[TicketT]):
    """
    The players who wait in one queue.

    Args:
        size: the number of players in a match.
        widening: how far apart their ratings can be.
    """

    def __init__(self, size: int, widening: Widening) -> None:
        self._size = size
        self._widening = widening
        # By rating, so that players who could play together are neighbours.
        self._tickets: list[TicketT] = []

    def __len__(self) -> int:
        return len(self._tickets)

    def __contains__(self, ticket: TicketT) -> bool:
        return any(one is ticket for one in self._tickets)

    @property
    def alone(self) -> TicketT | None:
        """The ticket of a user who waits alone; None while nobody waits, or several do."""
        return self._tickets[0] if len(self._tickets) == 1 else None

    def add(self, ticket: TicketT) -> None:
        """Add a player."""
        insort(self._tickets, ticket)

    def remove(self, ticket: TicketT) -> None:
        """Remove a player, if they are waiting."""
        self._tickets = [one for one in self._tickets if one is not ticket]

    def take(self, now: float) -> list[TicketT] | None:
        """Remove and return a group that plays, if there is one."""
        groups = [(spread, group) for spread, ready, group in self._groups() if ready <= now]
        if not groups:
            return None
        _, group = min(groups, key=lambda found: found[0])
        for ticket in group:
            self.remove(ticket)
        return group

    def next(self) -> float | None:
        """Return when there will be a group if no player joins or leaves; None for never."""
        earliest = min((ready for _, ready, _ in self._groups()), default=math.inf)
        return None if earliest == math.inf else earliest

    def _groups(self) -> Iterator[tuple[float, float, list[TicketT]]]:
        for first in range(len(self._tickets) - self._size + 1):
            group = self._tickets[first : first + self._size]
            spread = group[-1].rating - group[0].rating
            yield spread, self._ready(spread, min(ticket.since for ticket in group)), group

    def _ready(self, spread: float, since: float) -> float:
        beyond = spread - self._widening.at_first
        if beyond <= 0:
            return since
        per_second = self._widening.per_second
        return since + beyond / per_second if per_second else math.inf
