"""
The players in a matchmaking queue, grouped by rating. Pure.

A new player accepts opponents with a close rating; a player who has waited accepts more. A
group plays if its player who has waited longest accepts its spread, so every player gets a match
in the end. If several groups could play, the group with the smallest spread does.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterable, Iterator

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


def _place(ticket: Ticket) -> tuple[float, int]:
    return ticket.rating, ticket.number


class Pool:
    """
    The players who wait in one queue.

    Args:
        size: the number of players in a match.
        widening: how far apart their ratings can be.
        tickets: the players.
    """

    def __init__(self, size: int, widening: Widening, tickets: Iterable[Ticket]) -> None:
        self._size = size
        self._widening = widening
        # By rating, so that players who could play together are neighbours.
        self._tickets = sorted(tickets, key=_place)

    def group(self, now: float, ticket: Ticket | None = None) -> list[Ticket] | None:
        """
        Return a group that plays, if there is one.

        Args:
            now: the time, in seconds since the epoch.
            ticket: only a group with this player counts, if given.
        """
        groups = [(spread, group) for spread, at, group in self._groups(ticket) if at <= now]
        return min(groups, key=lambda found: found[0])[1] if groups else None

    def next(self) -> float | None:
        """Return when there will be a group if no player joins or leaves; None for never."""
        earliest = min((ready for _, ready, _ in self._groups(None)), default=math.inf)
        return None if earliest == math.inf else earliest

    def _groups(self, ticket: Ticket | None) -> Iterator[tuple[float, float, list[Ticket]]]:
        tickets, size = self._tickets, self._size
        first, last = 0, len(tickets) - size
        if ticket is not None:
            place = bisect_left(tickets, _place(ticket), key=_place)
            first, last = max(first, place - size + 1), min(last, place)
        for start in range(first, last + 1):
            group = tickets[start : start + size]
            spread = group[-1].rating - group[0].rating
            yield spread, self._ready(spread, min(one.since for one in group)), group

    def _ready(self, spread: float, since: float) -> float:
        beyond = spread - self._widening.at_first
        if beyond <= 0:
            return since
        per_second = self._widening.per_second
        return since + beyond / per_second if per_second else math.inf
