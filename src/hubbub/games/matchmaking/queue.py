"""A matchmaking queue: the users who search for a match of a game. Pure."""

from __future__ import annotations

from bisect import insort
from collections.abc import Sequence
from hashlib import blake2b
from typing import Any, ClassVar
from urllib.parse import quote

from ...journal.event import Event, State
from ...journal.schedule import HUB
from ...permissions import check
from ..events import Matched, SearchBegan, SearchCancelled, SearchEvent
from ..grants import GAMES_READERS
from .pool import Ticket, by_rating, place_in

__all__ = ["QueueState", "queue_stream"]

# A longer name of a game becomes its digest in the name of the stream.
_NAME_CHARS_MAX = 100


class QueueState(State, dict=True):
    """
    The fold of a ``queue/NAME`` stream.

    The users in order of rating are kept beside the fold, from when they are first needed.

    Args:
        tickets: a user -> their place in the queue.
    """

    data_type: ClassVar[Any] = SearchEvent

    tickets: dict[str, Ticket] = {}

    def apply(self, event: Event) -> None:
        """Fold one event."""
        match event.data:
            case SearchBegan(user, key, rating, node):
                before = self.tickets.get(user)
                since, number = event.at.timestamp(), event.seq
                if before is not None and before.key == key:
                    # Only the place where the user waits has changed.
                    rating, since, number = before.rating, before.since, before.number
                self._leave(user)
                self._join(Ticket(user, rating, since, number, key, node))
            case SearchCancelled(user):
                self._leave(user)
            case Matched(_, players):
                for player in players:
                    self._leave(player)
            case unknown:
                raise AssertionError(f"not a queue's event: {unknown!r}")

    def ordered(self) -> Sequence[Ticket]:
        """Return the users who wait, in order of rating; it changes with the queue."""
        order = self._order
        if order is None:
            order = self.__dict__["order"] = sorted(self.tickets.values(), key=by_rating)
        return order

    def _join(self, ticket: Ticket) -> None:
        self.tickets[ticket.user] = ticket
        if (order := self._order) is not None:
            insort(order, ticket, key=by_rating)

    def _leave(self, user: str) -> None:
        ticket = self.tickets.pop(user, None)
        if ticket is not None and (order := self._order) is not None:
            del order[place_in(order, ticket)]

    @property
    def _order(self) -> list[Ticket] | None:
        return self.__dict__.get("order")

    def check_reader(self, stream: str, user: str) -> None:
        """Refuse every reader but the hub."""
        if user != HUB:
            check(GAMES_READERS["queue"])


def queue_stream(queue: str) -> str:
    """Return the stream of a game's queue; a game can have any name."""
    name = quote(queue, safe=" ", errors="replace")
    if len(name) > _NAME_CHARS_MAX:
        name = blake2b(name.encode(), digest_size=16).hexdigest()
    return f"queue/{name}"
