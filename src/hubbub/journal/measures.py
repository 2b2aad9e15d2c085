"""Measurements of the journal: the number of commands, the batches, the times."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, deque
from collections.abc import Sequence
from typing import NamedTuple

from .stores.contract import Record

__all__ = ["COMMIT_SECONDS_BUCKETS", "MeasuredBatch", "Measures"]

# Upper bounds, as in a histogram of Prometheus.
COMMIT_SECONDS_BUCKETS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 5.0)
# Batches for the figures of the last seconds.
RECENT_MAX = 512
# Streams whose traffic is counted; above that number, the busier half is kept.
STREAMS_MAX = 10_000
# How long traffic counts as recent, in seconds: half of the counts are dropped at a time.
TRAFFIC_SECONDS = 60.0


class MeasuredBatch(NamedTuple):
    """A batch that was committed."""

    calls: int
    events: int
    seconds: float


class Measures:
    """Counts since the journal was opened, and the newest batches."""

    def __init__(self) -> None:
        self.calls = 0
        self.refusals = 0
        self.batches = 0
        self.commit_seconds = 0.0
        # The number of commits up to each bound, and above all bounds.
        self.commit_buckets = [0] * (len(COMMIT_SECONDS_BUCKETS) + 1)
        self.events: Counter[str] = Counter()
        self.recent: deque[MeasuredBatch] = deque(maxlen=RECENT_MAX)
        self._streams: Counter[str] = Counter()
        self._streams_before: Counter[str] = Counter()
        self._halved_at = 0.0

    def committed(self, calls: int, records: Sequence[Record], seconds: float, now: float) -> None:
        """
        Count a batch.

        Args:
            calls: the number of calls in it.
            records: the events that were written.
            seconds: how long that took.
            now: monotonic, in seconds.
        """
        self.batches += 1
        self.commit_seconds += seconds
        self.commit_buckets[bisect_left(COMMIT_SECONDS_BUCKETS, seconds)] += 1
        self.events.update([record.type for record in records])
        self.recent.append(MeasuredBatch(calls, len(records), seconds))
        self._forget(now)
        self._streams.update([record.stream for record in records])
        if len(self._streams) > STREAMS_MAX:
            self._streams = Counter(dict(self._streams.most_common(STREAMS_MAX // 2)))

    def busiest(self, kind: str, most: int, now: float) -> list[tuple[str, int]]:
        """Return the streams of a kind with the most recent events, and the number of events."""
        self._forget(now)
        counts = self._streams + self._streams_before
        found = [one for one in counts.items() if one[0].startswith(f"{kind}/")]
        return sorted(found, key=lambda one: one[1], reverse=True)[:most]

    def _forget(self, now: float) -> None:
        if now - self._halved_at >= TRAFFIC_SECONDS:
            self._streams_before = Counter()
        elif now - self._halved_at < TRAFFIC_SECONDS / 2:
            return
        else:
            self._streams_before = self._streams
        self._streams = Counter()
        self._halved_at = now
