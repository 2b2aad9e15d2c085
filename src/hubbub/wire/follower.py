"""One who follows a stream over a network: a cursor, and what waits to be taken. No I/O."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from copy import copy
from typing import Protocol

from ..errors import HubbubError

__all__ = ["BUFFER_BYTES_MAX", "BUFFER_EVENTS_MAX", "RemoteFollower", "Source"]

# Events of one stream that wait for one follower.
BUFFER_EVENTS_MAX = 1_024
# Bytes of these events.
BUFFER_BYTES_MAX = 1 << 20


class Source(Protocol):
    """Where a follower's events come from."""

    stream: str

    def catch_up(self, follower: RemoteFollower) -> None:
        """Take in that a follower which is behind may have room."""

    def leave(self, follower: RemoteFollower) -> None:
        """Let a follower go."""


class RemoteFollower:
    """
    One who follows a stream: a cursor, and what waits to be taken.

    Args:
        source: where events come from.
        after: the last seq that one has; None is from now on.
        wake: called when there is something new: it was let in, an event, the end.
    """

    __slots__ = (
        "_bodies",
        "_bytes",
        "_source",
        "behind",
        "error",
        "joined",
        "last",
        "signal",
        "wake",
    )

    def __init__(self, source: Source, after: int | None, wake: Callable[[], None]) -> None:
        self.wake = wake
        # The seq of the last event that was put here, or of the one before the first.
        self.last = after
        self.joined = False
        self.behind = False
        # Why nothing more will come, after what is here.
        self.error: HubbubError | None = None
        self._bodies: deque[bytes] = deque()
        self._bytes = 0
        self._source = source
        # Called with each encoded signal, if given.
        self.signal: Callable[[bytes], None] | None = None

    @property
    def stream(self) -> str:
        """The stream's name."""
        return self._source.stream

    @property
    def has_room(self) -> bool:
        """True when a page of events may be put here."""
        return 2 * len(self._bodies) <= BUFFER_EVENTS_MAX and 2 * self._bytes <= BUFFER_BYTES_MAX

    @property
    def full(self) -> bool:
        """True when nothing more may be put here."""
        return len(self._bodies) >= BUFFER_EVENTS_MAX or self._bytes >= BUFFER_BYTES_MAX

    def put(self, seq: int, body: bytes) -> None:
        """Add the event after the last one."""
        self.last = seq
        self._bodies.append(body)
        self._bytes += len(body)
        self.behind = self.behind or self.full
        self.wake()

    def take(self) -> bytes | None:
        """
        Remove the next event, encoded.

        Returns:
            None if there is none now.

        Raises:
            HubbubError: there will be none any more.
        """
        if not self._bodies:
            if self.error is not None:
                raise self.error
            return None
        body = self._bodies.popleft()
        self._bytes -= len(body)
        if self.behind:
            self._source.catch_up(self)
        return body

    def leave(self) -> None:
        """Follow no longer."""
        self._source.leave(self)

    def fail(self, error: HubbubError) -> None:
        """Get nothing more."""
        # A copy: an exception that several raise would collect all their tracebacks.
        self.error = copy(error)
        self.wake()
