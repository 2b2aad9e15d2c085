"""
What the hub itself must look after, and when: a fold like any other, so it survives a restart.

A service drafts ``Scheduled`` into its stream of this kind, ``agenda/matches``, when something
begins that ends by the clock, or that the hub takes part in, and ``Unscheduled`` when it is over.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from heapq import heapify, heappop, heappush
from typing import Any, ClassVar

from ..permissions import Grant, check
from .event import Data, Event, State

__all__ = ["HUB", "SCHEDULE_READERS", "Schedule", "Scheduled", "TimerQueue", "Unscheduled"]

# Who does what the hub does by itself. No user's id has a slash.
HUB = "/hub"

SCHEDULE_READERS = Grant(("nobody",), "A schedule is read by the hub only.")


class Scheduled(Data, frozen=True, tag="planned"):
    """A stream is to be looked after, at some time at the latest; without one, from now on."""

    to: str
    due: datetime | None = None


class Unscheduled(Data, frozen=True, tag="settled"):
    """It need not be looked after any more."""

    to: str


class Schedule(State):
    """
    The fold of an ``agenda/…`` stream.

    Args:
        due: a stream -> when to look at it.
    """

    data_type: ClassVar[Any] = Scheduled | Unscheduled

    due: dict[str, datetime | None] = {}

    def apply(self, event: Event) -> None:
        """Take one event in."""
        match event.data:
            case Scheduled(to, due):
                self.due[to] = due
            case Unscheduled(to):
                self.due.pop(to, None)
            case unknown:
                raise AssertionError(f"nothing of a schedule: {unknown!r}")

    def check_reader(self, stream: str, user: str) -> None:
        """A schedule is the hub's own."""
        if user != HUB:
            check(SCHEDULE_READERS)


class TimerQueue:
    """When to look at what: the times of a schedule, the earliest first."""

    def __init__(self) -> None:
        self._due: dict[str, datetime] = {}
        # May hold times that are no longer meant; they are passed over.
        self._heap: list[tuple[datetime, str]] = []

    def __contains__(self, to: str) -> bool:
        return to in self._due

    def set(self, to: str, due: datetime | None) -> None:
        """Set, move or clear an alarm."""
        if due is None:
            self._due.pop(to, None)
        elif self._due.get(to) != due:
            self._due[to] = due
            heappush(self._heap, (due, to))
            self._tidy()

    def next(self) -> datetime | None:
        """Return the earliest time, if any."""
        while self._heap and self._due.get(self._heap[0][1]) != self._heap[0][0]:
            heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def ring(self, now: datetime) -> Iterator[str]:
        """Return what is due, and clear it."""
        while (due := self.next()) is not None and due <= now:
            to = heappop(self._heap)[1]
            del self._due[to]
            yield to

    def _tidy(self) -> None:
        if len(self._heap) > 2 * len(self._due) + 16:
            self._heap = [(due, to) for to, due in self._due.items()]
            heapify(self._heap)
