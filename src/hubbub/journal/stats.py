"""Statistics of a hub, for operators."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from heapq import nlargest

import msgspec

from ..clock import Clock, plain
from .event import State
from .journal import Journal

logger = logging.getLogger("hubbub.journal")

__all__ = ["Lag", "Meter", "Stats", "Traffic"]

# Rows of each table of statistics: the busiest rooms, the slowest followers.
SHOWN_MAX = 10
# Streams that the hub itself follows, with or without users, are not counted.
OWN_STREAMS = ("agenda/", "queue/")


class Lag(msgspec.Struct, frozen=True):
    """A follower that is behind: its stream, its user, and by how many events."""

    stream: str
    user: str
    behind: int


class Traffic(msgspec.Struct, frozen=True):
    """A room, and the number of its events in about the last minute."""

    stream: str
    name: str
    events: int


class Stats(msgspec.Struct, frozen=True):
    """
    Statistics of a hub. Totals count from when it was opened.

    Args:
        at: UTC.
        connections: the number of connected sessions.
        users: the number of users who are not offline.
        followers: the number of followers of streams; ``topics`` is the number of followed streams.
        calls: the number of decided commands and queries; ``refusals`` of those refused.
        calls_queued: the number of waiting calls.
        events: the number of events, by type; a ``message`` is an event.
        batches: the number of transactions.
        batch_calls: the average number of calls in the newest 512 batches.
        commit_seconds_median: over the newest 512 batches; and ``commit_seconds_p99``.
        slowest: the followers that are furthest behind.
        rooms: the open rooms with the most events in about the last minute.
    """

    at: datetime
    connections: int
    users: int
    topics: int
    followers: int
    calls: int
    refusals: int
    calls_queued: int
    events: dict[str, int]
    batches: int
    batch_calls: float
    commit_seconds_median: float
    commit_seconds_p99: float
    slowest: list[Lag]
    rooms: list[Traffic]


class Meter:
    """
    Collects the statistics of a hub.

    Args:
        journal: the hub's journal.
        clock: the hub's clock.
        connections: returns the number of connected sessions.
        users: returns the number of users who are not offline.
        traffic: a kind of stream whose busiest ones are shown -> the name of each, or None to
            hide it.
    """

    def __init__(
        self,
        journal: Journal,
        clock: Clock,
        connections: Callable[[], int],
        users: Callable[[], int],
        traffic: Mapping[str, Callable[[State], str | None]],
    ) -> None:
        self.journal = journal
        self._clock = clock
        self._connections = connections
        self._users = users
        self._traffic = traffic

    def stats(self) -> Stats:
        """Return the current statistics."""
        journal, measures = self.journal, self.journal.measures
        seconds = sorted(batch.seconds for batch in measures.recent)
        calls = sum(batch.calls for batch in measures.recent)
        topics = [t for name, t in journal.topics.items() if not name.startswith(OWN_STREAMS)]
        return Stats(
            at=plain(self._clock.now()),
            connections=self._connections(),
            users=self._users(),
            topics=sum(1 for topic in topics if topic.followers),
            followers=sum(len(topic.followers) for topic in topics),
            calls=measures.calls,
            refusals=measures.refusals,
            calls_queued=journal.calls_queued,
            events=dict(measures.events),
            batches=measures.batches,
            batch_calls=calls / max(1, len(seconds)),
            commit_seconds_median=_quantile(seconds, 0.5),
            commit_seconds_p99=_quantile(seconds, 0.99),
            slowest=self._slowest(),
            rooms=list(self._busiest()),
        )

    def _slowest(self) -> list[Lag]:
        lags = (
            Lag(stream, follower.user, topic.head - follower.cursor)
            for stream, topic in self.journal.topics.items()
            for follower in topic.followers
            if follower.cursor < topic.head
        )
        return nlargest(SHOWN_MAX, lags, key=lambda lag: lag.behind)

    def _busiest(self) -> Iterator[Traffic]:
        # Do not load a stream only to show it here.
        journal, now = self.journal, self._clock.monotonic()
        for kind, name_of in self._traffic.items():
            for stream, events in journal.measures.busiest(kind, SHOWN_MAX, now):
                state = journal.peek(stream)
                try:
                    name = "" if state is None else name_of(state)
                except Exception:  # of one feature; the streams of others are still shown
                    logger.exception("the name of %s cannot be shown", stream)
                    continue
                if name is not None:
                    yield Traffic(stream, name, events)


def _quantile(ordered: list[float], part: float) -> float:
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))] if ordered else 0.0
