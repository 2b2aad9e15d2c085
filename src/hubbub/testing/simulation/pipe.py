"""
One direction of a connection: bytes under way, and bytes that arrived and were not read.

No task moves bytes. Each piece has the time at which it arrives, and the reader waits for the time
of the first. A writer that finds the reader waiting only sets the reader's deadline, so that
a delivery wakes one task, once.
"""

from __future__ import annotations

import math
from collections import deque

from .alarm import Alarm, alarm
from .route import Counts, Route

__all__ = ["Piece", "Pipe"]

# The time of its arrival, and the bytes: b"" is the end of the stream, None a reset.
Piece = tuple[float, bytes | None]


class Pipe:
    """
    The bytes from one end of a connection to the other.

    Args:
        route: the way from host to host that they take.
        counts: what the network counts.
    """

    __slots__ = (
        "_counts",
        "_last",
        "_pieces",
        "_reader",
        "_writer",
        "closed_at",
        "route",
        "size",
    )

    def __init__(self, route: Route, counts: Counts) -> None:
        self.route = route
        self._counts = counts
        self._pieces: deque[Piece] = deque()
        # Bytes under way or unread.
        self.size = 0
        self._last = -math.inf
        self._reader: Alarm | None = None
        self._writer: Alarm | None = None
        # When the reader learns that nobody reads what it writes itself.
        self.closed_at = math.inf

    def write(self, data: bytes, now: float) -> None:
        """Send bytes on their way."""
        for at, piece in self.route.arrivals(data, now):
            self._last = max(self._last, at)
            self._pieces.append((self._last, piece))
        self.size += len(data)
        self._counts.bytes_sent += len(data)
        self._set_alarm()

    def end(self, now: float, *, reset: bool = False) -> None:
        """Send the end of the stream, or a reset, behind everything else."""
        self._last = max(self._last, now + self.route.latency())
        self._pieces.append((self._last, None if reset else b""))
        self._set_alarm()

    def close(self, now: float) -> None:
        """Send the news that this end is closed behind everything else."""
        self.closed_at = max(self._last, now + self.route.latency())

    @property
    def learns_at(self) -> float:
        """When the reader learns that the writer is gone, as far as that is known."""
        return self.closed_at if self.closed_at <= self.route.blocked_since else math.inf

    def is_closed(self, now: float) -> bool:
        """Whether the reader knows that the writer is gone."""
        return self.arrived(self.closed_at, now)

    def arrived(self, at: float, now: float) -> bool:
        """Whether what was to arrive at a time is there."""
        return at <= now and at <= self.route.blocked_since

    def has_arrived(self, now: float) -> bool:
        """Whether there is something to read, if only the end."""
        return bool(self._pieces) and self.arrived(self._pieces[0][0], now)

    def has_unread(self, now: float) -> bool:
        """Whether bytes have arrived that nobody read."""
        return self.has_arrived(now) and bool(self._pieces[0][1])

    def take(self, now: float, bytes_max: int) -> Piece | None:
        """Return what has arrived, up to a number of bytes; None if nothing has."""
        pieces = self._pieces
        if not pieces or not self.arrived(pieces[0][0], now):
            return None
        if not pieces[0][1]:
            # It stays: each further read finds it again.
            return pieces[0]
        at, data = pieces.popleft()
        assert data
        if len(data) < bytes_max and pieces and self.arrived(pieces[0][0], now):
            data = self._joined(data, now, bytes_max)
        if len(data) > bytes_max:
            pieces.appendleft((at, data[bytes_max:]))
            data = data[:bytes_max]
        self.size -= len(data)
        self._counts.bytes_received += len(data)
        if self.size < self.route.conditions.window:
            self.wake_writer()
        return at, data

    def lose(self, size: int) -> None:
        """Count bytes that were written and that nobody will read."""
        self._counts.bytes_sent += size
        self._counts.bytes_lost += size

    def discard(self) -> None:
        """Lose everything that was not read."""
        self._counts.bytes_lost += self.size
        self._pieces.clear()
        self.size = 0

    def delay(self, since: float, now: float) -> None:
        """Let what the route held back since a time arrive from now on."""
        floor = now + self.route.latency()
        late = [(max(at, floor) if at > since else at, data) for at, data in self._pieces]
        self._pieces = deque(late)
        if self.closed_at > since:
            self.closed_at = max(self.closed_at, floor)
        if late:
            self._last = late[-1][0]
        self._set_alarm()

    async def wait_for_arrival(self) -> None:
        """Wait until something arrives, or somebody wakes the reader."""
        if self._reader is None:
            self._reader = alarm()
        await self._reader.wait(self._next_arrival())

    async def wait_for_room(self, until: float) -> None:
        """Wait until the reader has read some bytes, until a time, or until somebody wakes it."""
        if self._writer is None:
            self._writer = alarm()
        await self._writer.wait(until)

    def wake_reader(self) -> None:
        """Let the reader look again at how its stream is."""
        if self._reader is not None:
            self._reader.wake()

    def wake_writer(self) -> None:
        """Let the writer look again at how its stream is."""
        if self._writer is not None:
            self._writer.wake()

    def _joined(self, data: bytes, now: float, bytes_max: int) -> bytes:
        parts, size, pieces = [data], len(data), self._pieces
        while size < bytes_max and pieces and pieces[0][1] and self.arrived(pieces[0][0], now):
            part = pieces.popleft()[1]
            assert part
            parts.append(part)
            size += len(part)
        return b"".join(parts)

    def _next_arrival(self) -> float:
        if not self._pieces or self._pieces[0][0] > self.route.blocked_since:
            return math.inf
        return self._pieces[0][0]

    def _set_alarm(self) -> None:
        if self._reader is not None:
            self._reader.move(self._next_arrival())
