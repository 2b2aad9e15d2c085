"""
Links: which streams another stream answers for.

A fact is written into every stream that must answer for it, so no read ever joins.
``user/ID`` answers for the rooms that the user is in, ``index/rooms`` for the rooms
that everybody may find. A service that knows nothing of users drafts a link by name.
"""

from __future__ import annotations

from typing import Any, ClassVar

from .event import Data, Event, State

__all__ = [
    "DEVIATION_AT_FIRST",
    "RATING_AT_FIRST",
    "Linked",
    "Links",
    "Marked",
    "Offered",
    "Rated",
    "Unlinked",
]

RATING_AT_FIRST = 1500.0
DEVIATION_AT_FIRST = 500.0


class Linked(Data, frozen=True, tag="linked"):
    """From now on this stream answers for another, from its event ``mark`` on."""

    to: str
    mark: int = 0


class Unlinked(Data, frozen=True, tag="unlinked"):
    """It no longer does."""

    to: str


class Marked(Data, frozen=True, tag="marked"):
    """The other stream was read up to an event."""

    to: str
    mark: int


class Offered(Data, frozen=True, tag="offered"):
    """The user was invited into another stream."""

    to: str


class Rated(Data, frozen=True, tag="rated"):
    """The user has played, and plays so well now; a deviation says how certain that is."""

    rating: float
    deviation: float


class Links(State):
    """
    The streams that a stream answers for.

    Args:
        links: a stream -> the seq up to which it was read.
        nickname: what to call whose links these are; users fold it.
        rating: how well one plays.
        deviation: how uncertain that is.
    """

    data_type: ClassVar[Any] = Linked | Unlinked | Marked | Offered | Rated

    links: dict[str, int] = {}
    nickname: str = ""
    rating: float = RATING_AT_FIRST
    deviation: float = DEVIATION_AT_FIRST

    def apply(self, event: Event) -> None:
        """Take one event in."""
        match event.data:
            case Linked(to, mark) | Marked(to, mark):
                self.links[to] = mark
            case Unlinked(to):
                self.links.pop(to, None)
            case Rated(rating, deviation):
                self.rating, self.deviation = rating, deviation
            case Offered():
                pass
            case unknown:
                raise AssertionError(f"not a link: {unknown!r}")

    def check_reader(self, stream: str, user: str) -> None:
        """An index is everybody's."""
