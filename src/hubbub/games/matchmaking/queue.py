"""A matchmaking queue: the users who search for a match of a game. Pure."""

from __future__ import annotations

from hashlib import blake2b
from typing import Any, ClassVar
from urllib.parse import quote

from ...journal.event import Event, State
from ...journal.schedule import HUB
from ...permissions import check
from ..events import Matched, SearchBegan, SearchCancelled, SearchEvent
from ..grants import GAMES_READERS
from .pool import Ticket

__all__ = ["QueueState", "queue_stream"]

# A longer name of a game becomes its digest in the name of the stream.
_NAME_CHARS_MAX = 100


class QueueState(State):
    """
    The fold of a ``queue/NAME`` stream.

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
                self.tickets[user] = Ticket(user, rating, since, number, key, node)
            case SearchCancelled(user):
                self.tickets.pop(user, None)
            case Matched(_, players):
                for player in players:
                    self.tickets.pop(player, None)
            case unknown:
                raise AssertionError(f"not a queue's event: {unknown!r}")

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
