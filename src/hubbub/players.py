"""
The events in a user's stream about them as a player: their rating, and messages from games. Pure.

Games write these events and users fold them. Neither imports the other; both import this module.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, ClassVar

import msgspec

from .journal.event import Data, Event
from .journal.link import Linked, Links, Marked, Offered, Unlinked

__all__ = [
    "DEVIATION_AT_FIRST",
    "RATING_AT_FIRST",
    "RIVALRY_PERIOD",
    "RIVALS_MAX",
    "IndexLinks",
    "PlayerLinks",
    "Rated",
    "Rivalry",
    "ToldPlayer",
]

RATING_AT_FIRST = 1500.0
DEVIATION_AT_FIRST = 500.0
# The opponents of a user whose rated matches Hubbub counts.
RIVALS_MAX = 64
# The period in which they count.
RIVALRY_PERIOD = timedelta(days=1)


class Rated(Data, frozen=True, tag="rated", omit_defaults=True):
    """The user's new rating after a match; the deviation says how uncertain it is."""

    rating: float
    deviation: float
    # The other players of the match.
    against: list[str] = []


class ToldPlayer(Data, frozen=True, tag="told_player"):
    """The game of a match has sent a message to this user alone."""

    # The match's stream.
    match: str
    body: dict[str, Any]


class Rivalry(msgspec.Struct, frozen=True, gc=False):
    """
    The number of rated matches between two users.

    Args:
        count: the number in the current period.
        since: when the first match of the period ended, UTC.
    """

    count: int
    since: datetime


class PlayerLinks(Links):
    """
    The streams linked to a user's stream, and the user's rating.

    Args:
        rating: the user's rating.
        deviation: how uncertain the rating is.
        rivals: the ``RIVALS_MAX`` most recent opponents in rated matches -> how many matches
            there were, and since when.
    """

    data_type: ClassVar[Any] = Linked | Unlinked | Marked | Offered | Rated | ToldPlayer

    rating: float = RATING_AT_FIRST
    deviation: float = DEVIATION_AT_FIRST
    rivals: dict[str, Rivalry] = {}

    def apply(self, event: Event) -> None:
        """Fold one event."""
        match event.data:
            case Rated(rating, deviation, against):
                self.rating, self.deviation = rating, deviation
                self._play(against, event.at)
            case ToldPlayer():
                pass
            case _:
                super().apply(event)

    def rated_with(self, user: str, now: datetime) -> int:
        """Return the number of rated matches with another user in the current period."""
        rivalry = self.rivals.get(user)
        over = rivalry is None or now - rivalry.since >= RIVALRY_PERIOD
        return 0 if rivalry is None or over else rivalry.count

    def _play(self, against: Sequence[str], at: datetime) -> None:
        for user in against:
            count = self.rated_with(user, at)
            before = self.rivals.pop(user, None)
            since = before.since if before is not None and count else at
            self.rivals[user] = Rivalry(count + 1, since)
        for user in list(islice(self.rivals, max(0, len(self.rivals) - RIVALS_MAX))):
            del self.rivals[user]


class IndexLinks(PlayerLinks):
    """The fold of an ``index/…`` stream; version 0.1.0 allowed a rating in any links."""

    data_type: ClassVar[Any] = Linked | Unlinked | Marked | Offered | Rated
