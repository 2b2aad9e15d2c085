"""
What a user's stream says of the user as a player: their rating, and what games tell them. Pure.

Games write it and users fold it, and neither knows the other: what both know is here.
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
# Opponents with whom a user's last rated matches are counted.
RIVALS_MAX = 64
# How long each of these counts.
RIVALRY_PERIOD = timedelta(days=1)


class Rated(Data, frozen=True, tag="rated", omit_defaults=True):
    """The user has played, and plays so well now; a deviation says how certain that is."""

    rating: float
    deviation: float
    # The other players of the match.
    against: list[str] = []


class ToldPlayer(Data, frozen=True, tag="told_player"):
    """The game of a match said something to this user alone."""

    # The match's stream.
    match: str
    body: dict[str, Any]


class Rivalry(msgspec.Struct, frozen=True, gc=False):
    """
    How often two users have had a rated match.

    Args:
        count: in the period that began then.
        since: when the first of them ended, UTC.
    """

    count: int
    since: datetime


class PlayerLinks(Links):
    """
    The streams that a user's stream answers for, and how well the user plays.

    Args:
        rating: how well the user plays.
        deviation: how uncertain that is.
        rivals: the ``RIVALS_MAX`` users with whom the last rated matches were -> how many there
            were since when.
    """

    data_type: ClassVar[Any] = Linked | Unlinked | Marked | Offered | Rated | ToldPlayer

    rating: float = RATING_AT_FIRST
    deviation: float = DEVIATION_AT_FIRST
    rivals: dict[str, Rivalry] = {}

    def apply(self, event: Event) -> None:
        """Take one event in."""
        match event.data:
            case Rated(rating, deviation, against):
                self.rating, self.deviation = rating, deviation
                self._play(against, event.at)
            case ToldPlayer():
                pass
            case _:
                super().apply(event)

    def rated_with(self, user: str, now: datetime) -> int:
        """Return how many rated matches with another user the period has seen that goes on."""
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
    """The fold of an ``index/…`` stream: version 0.1.0 let any links have a rating."""

    data_type: ClassVar[Any] = Linked | Unlinked | Marked | Offered | Rated
