"""
The hub's schedule: which streams it must look at, and when. A fold, so it survives a restart.

A service drafts ``Scheduled`` into a shard of its stream of this kind, ``agenda/matches/7``, when
something begins that ends by the clock, or that the hub takes part in, and ``Unscheduled`` at its
end. Earlier releases wrote all entries to ``agenda/matches``; they are moved when the hub opens.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from heapq import heapify, heappop, heappush
from typing import Any, ClassVar

from ..permissions import Grant, check
from .decide.states import States
from .event import Data, Draft, Event, State
from .shards import stream_shard

__all__ = [
    "HUB",
    "SCHEDULE_READERS",
    "Schedule",
    "Scheduled",
    "TimerQueue",
    "Unscheduled",
    "schedule_entry",
    "scheduled",
    "unscheduled",
]

# The author of the hub's own events. No user's id has a slash.
HUB = "/hub"

SCHEDULE_READERS = Grant(("nobody",), "Only the hub can read its schedule.")


class Scheduled(Data, frozen=True, tag="planned"):
    """A stream needs attention, at the latest at a time; without a time, from now on."""

    to: str
    due: datetime | None = None


class Unscheduled(Data, frozen=True, tag="settled"):
    """The stream needs no more attention."""

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
        """Fold one event."""
        match event.data:
            case Scheduled(to, due):
                self.due[to] = due
            case Unscheduled(to):
                self.due.pop(to, None)
            case unknown:
                raise AssertionError(f"not an event of a schedule: {unknown!r}")

    def check_reader(self, stream: str, user: str) -> None:
        """Refuse every reader but the hub."""
        if user != HUB:
            check(SCHEDULE_READERS)


def scheduled(schedule: str, to: str, due: datetime | None) -> Draft:
    """
    Draft that a stream needs attention.

    Args:
        schedule: such as ``agenda/matches``.
        to: the stream.
        due: when, at the latest.
    """
    return Draft(stream_shard(schedule, to), Scheduled(to, due))


def unscheduled(schedule: str, to: str) -> Draft:
    """Draft that a stream needs no more attention."""
    return Draft(stream_shard(schedule, to), Unscheduled(to))


def schedule_entry(states: States, schedule: str, to: str) -> tuple[bool, datetime | None]:
    """Return whether a stream is in a schedule, and when it is due."""
    due = states.of(Schedule, stream_shard(schedule, to)).due
    return to in due, due.get(to)


class TimerQueue:
    """The times of a schedule, the earliest first."""

    def __init__(self) -> None:
        self._due: dict[str, datetime] = {}
        # May contain outdated times, which are skipped.
        self._heap: list[tuple[datetime, str]] = []

    def __contains__(self, to: str) -> bool:
        return to in self._due

    def set(self, to: str, due: datetime | None) -> None:
        """Set, move or clear a timer."""
        if due is None:
            self._due.pop(to, None)
        elif self._due.get(to) != due:
            self._due[to] = due
            heappush(self._heap, (due, to))
            self._tidy()

    def next(self) -> datetime | None:
        """Return the earliest time, or None."""
        while self._heap and self._due.get(self._heap[0][1]) != self._heap[0][0]:
            heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def ring(self, now: datetime) -> Iterator[str]:
        """Yield the streams that are due, and clear their timers."""
        while (due := self.next()) is not None and due <= now:
            to = heappop(self._heap)[1]
            del self._due[to]
            yield to

    def _tidy(self) -> None:
        if len(self._heap) > 2 * len(self._due) + 16:
            self._heap = [(due, to) for to, due in self._due.items()]
            heapify(self._heap)
