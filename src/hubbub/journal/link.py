"""
Links: the streams that another stream lists.

A fact is written into every stream that records it, so no read ever joins. ``user/ID`` lists
the rooms that the user is in, ``index/rooms`` the rooms that everyone can find. A service
that does not import users drafts a link by name.
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
    """This stream lists another stream, from its event ``mark`` on."""

    to: str
    mark: int = 0


class Unlinked(Data, frozen=True, tag="unlinked"):
    """This stream no longer lists it."""

    to: str


class Marked(Data, frozen=True, tag="marked"):
    """The user has read the other stream up to an event."""

    to: str
    mark: int


class Offered(Data, frozen=True, tag="offered"):
    """The user was invited to another stream."""

    to: str


class Links(State, dict=True):
    """
    The streams that a stream lists.

    A sorted list of them is kept beside the fold, from when it is first needed.

    Args:
        links: a stream -> the seq up to which it was read.
        nickname: the nickname of the user whose links they are; users fold it.
    """

    data_type: ClassVar[Any] = Linked | Unlinked | Marked | Offered

    links: dict[str, int] = {}
    nickname: str = ""

    def apply(self, event: Event) -> None:
        """Fold one event."""
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
        """Yield the linked streams whose names come after one, in order, at the cost of each."""
        order = self._ordered()
        for index in range(bisect_right(order, after), len(order)):
            yield order[index]

    def count(self, kind: str) -> int:
        """Count the linked streams of a kind."""
        order = self._ordered()
        # The next character after the slash begins the first name of another kind.
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
        """Let everyone read an index."""
