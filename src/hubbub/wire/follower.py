"""A follower of a stream over a network: a cursor, and buffered events. No I/O."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from copy import copy
from typing import Protocol

from ..errors import HubbubError

__all__ = ["BUFFER_BYTES_MAX", "BUFFER_EVENTS_MAX", "RemoteFollower", "Source"]

# Events of one stream that are buffered for one follower.
BUFFER_EVENTS_MAX = 1_024
# Bytes of these events.
BUFFER_BYTES_MAX = 1 << 20


class Source(Protocol):
    """The source of a follower's events."""

    stream: str

    def catch_up(self, follower: RemoteFollower) -> None:
        """Note that a follower that is behind may have room."""

    def leave(self, follower: RemoteFollower) -> None:
        """Remove a follower."""


class RemoteFollower:
    """
    A follower of a stream: a cursor, and buffered events.

    Args:
        source: the source of the events.
        after: the last seq that you have; None follows only new events.
        wake: called on news: the follower was accepted, got an event, or ended.
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
        # The seq of the last buffered event, or the one before the first.
        self.last = after
        self.joined = False
        self.behind = False
        # The reason why no more events follow, after the buffered ones.
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
        """True if a page of events fits."""
        return 2 * len(self._bodies) <= BUFFER_EVENTS_MAX and 2 * self._bytes <= BUFFER_BYTES_MAX

    @property
    def full(self) -> bool:
        """True if no more events fit."""
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
            None if there is no event now.

        Raises:
            HubbubError: no more events follow.
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
        """Stop following."""
        self._source.leave(self)

    def fail(self, error: HubbubError) -> None:
        """End the follower with an error."""
        # A copy: an exception that several tasks raise would collect all their tracebacks.
        self.error = copy(error)
        self.wake()
