"""
Links: which streams another stream answers for.

A fact is written into every stream that must answer for it, so no read ever joins.
``user/ID`` answers for the rooms that the user is in, ``index/rooms`` for the rooms
that everybody may find. A service that knows nothing of users drafts a link by name.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator
from typing import Any, ClassVar

from .event import Data, Event, State

__all__ = [
    "Linked",
    "Links",
    "Marked",
    "Offered",
    "Unlinked",
]


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


class Links(State, dict=True):
    """
    The streams that a stream answers for.

    A list of them in order is kept beside the fold, from the first time that it is asked for.

    Args:
        links: a stream -> the seq up to which it was read.
        nickname: what to call whose links these are; users fold it.
    """

    data_type: ClassVar[Any] = Linked | Unlinked | Marked | Offered

    links: dict[str, int] = {}
    nickname: str = ""

    def apply(self, event: Event) -> None:
        """Take one event in."""
        match event.data:
            case Linked(to, mark) | Marked(to, mark):
                if to not in self.links and (order := self._order) is not None:
                    insort(order, to)
                self.links[to] = mark
            case Unlinked(to):
                if self.links.pop(to, None) is not None and (order := self._order) is not None:
                    del order[bisect_left(order, to)]
            case Offered():
                pass
            case unknown:
                raise AssertionError(f"not a link: {unknown!r}")

    def ordered(self, after: str = "") -> Iterator[str]:
        """Yield the linked streams whose names come after one, in order; it costs what is taken."""
        order = self._ordered()
        for index in range(bisect_right(order, after), len(order)):
            yield order[index]

    def count(self, kind: str) -> int:
        """Count the linked streams of one kind."""
        order = self._ordered()
        # Of all that can follow, the slash's next character is the first of another kind.
        return bisect_left(order, f"{kind}0") - bisect_left(order, f"{kind}/")

    def _ordered(self) -> list[str]:
        order = self._order
        if order is None:
            order = self.__dict__["order"] = sorted(self.links)
        return order

    @property
    def _order(self) -> list[str] | None:
        return self.__dict__.get("order")

    def check_reader(self, stream: str, user: str) -> None:
        """An index is everybody's."""
