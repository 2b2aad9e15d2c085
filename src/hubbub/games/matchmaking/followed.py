"""A matchmaking queue as a node follows it: its players, and the groups that could play. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ...journal.event import Event
from ..events import Matched, SearchBegan, SearchCancelled
from .pool import Pool, Ticket, Widening
from .queue import QueueState

__all__ = ["FollowedQueue"]


class FollowedQueue:
    """
    One queue, as far as its events have come.

    Args:
        size: the number of players in a match.
        widening: how far apart their ratings can be.
        state: the queue when its events began to come.
    """

    def __init__(self, size: int, widening: Widening, state: QueueState) -> None:
        self._state = state
        self._pool = Pool(size, widening, state.tickets.values())

    @property
    def tickets(self) -> Mapping[str, Ticket]:
        """A user -> their place in the queue."""
        return self._state.tickets

    def apply(self, event: Event) -> None:
        """Fold one event."""
        users = _users_of(event)
        before = [self.tickets.get(user) for user in users]
        self._state.apply(event)
        for user, ticket in zip(users, before, strict=True):
            if ticket is not None:
                self._pool.discard(ticket)
            if (now := self.tickets.get(user)) is not None:
                self._pool.add(now)

    def next(self) -> float | None:
        """Return when a group can play if no player joins or leaves; None for never."""
        return self._pool.next()

    def take(self, now: float, groups_max: int) -> list[list[Ticket]]:
        """
        Take groups that play, so that no other group has their players.

        Args:
            now: the time, in seconds since the epoch.
            groups_max: the number of groups to take.
        """
        taken = (self._pool.take(now) for _ in range(groups_max))
        return [group for group in taken if group is not None]

    def put_back(self, tickets: Iterable[Ticket]) -> None:
        """Put back the players who were taken and still wait, as far as the node knows."""
        for ticket in tickets:
            if self.tickets.get(ticket.user) == ticket:
                self._pool.discard(ticket)
                self._pool.add(ticket)


def _users_of(event: Event) -> Sequence[str]:
    """Return the users who join or leave a queue by an event."""
    match event.data:
        case SearchBegan(user) | SearchCancelled(user):
            return (user,)
        case Matched(_, players):
            return players
        case unknown:
            raise AssertionError(f"not a queue's event: {unknown!r}")
