"""
Who plays whom: those who wait in one queue, brought together by how well they play. Pure.

Who has just come accepts others whose rating is near; who has waited accepts more. A
group plays if the one of it who has waited longest accepts its spread, so everybody
is served in the end. Of the groups that could play, the one with the least spread does.
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
    How far apart ratings may be.

    Args:
        at_first: for who has just come.
        per_second: how much more for each second of waiting; 0 is never more.
    """

    at_first: float
    per_second: float


class Ticket:
    """
    Somebody who waits.

    Args:
        user: who.
        rating: how well the player plays.
        since: when the player came, in seconds of the monotonic clock.
        number: tells apart those of one rating; the lower came first.
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
    Those who wait in one queue.

    Args:
        size: how many play together.
        widening: how far apart their ratings may be.
    """

    def __init__(self, size: int, widening: Widening) -> None:
        self._size = size
        self._widening = widening
        # By rating: those who could play together stand side by side.
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
        """Let somebody wait."""
        insort(self._tickets, ticket)

    def remove(self, ticket: TicketT) -> None:
        """Let somebody go who waits, or does not."""
        self._tickets = [one for one in self._tickets if one is not ticket]

    def take(self, now: float) -> list[TicketT] | None:
        """Take out a group that plays, if there is one."""
        groups = [(spread, group) for spread, ready, group in self._groups() if ready <= now]
        if not groups:
            return None
        _, group = min(groups, key=lambda found: found[0])
        for ticket in group:
            self.remove(ticket)
        return group

    def next(self) -> float | None:
        """Return when there will be a group if nobody comes or goes; None if never."""
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
