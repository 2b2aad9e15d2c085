"""
The requests of one connection that have no answer yet. Pure.

A request that comes when there are too many waits for an answer to one of them. So a client that
sends faster than the server answers is slowed down, and its requests are carried out in their
order, without holes.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from ...wire.peer import Request

__all__ = ["IN_FLIGHT_BYTES_MAX", "InFlight"]

# Bytes of the requests of one connection that have no response yet.
IN_FLIGHT_BYTES_MAX = 1024 * 1024


class InFlight:
    """
    Counts the requests of one connection.

    The socket stops reading while requests wait here, so at most those wait that it had read
    before.

    Args:
        requests_max: the number of requests without an answer.
        take: carries a request out.
        read_on: called when no request waits any more.
    """

    __slots__ = ("_bytes", "_read_on", "_requests_max", "_take", "_taking", "count", "held")

    def __init__(
        self, requests_max: int, take: Callable[[Request], None], read_on: Callable[[], None]
    ) -> None:
        self._requests_max = requests_max
        self._take = take
        self._read_on = read_on
        # The number of requests that are being carried out, and their bytes.
        self.count = 0
        self._bytes = 0
        # The requests that wait: most connections never have one, and a deque is large.
        self.held: deque[Request] | None = None
        # True while requests are taken, so that an answer at once takes no others.
        self._taking = False

    @property
    def full(self) -> bool:
        """True while requests wait."""
        return bool(self.held)

    def add(self, request: Request) -> None:
        """Carry a request out, now or in its turn."""
        size = self._bytes + len(request.params)
        # However large it is, a single request is carried out.
        if self.held or (self.count and not self._has_space(size)):
            self.held = self.held or deque()
            self.held.append(request)
        else:
            self.count += 1
            self._bytes = size
            self._take(request)

    def answered(self, request: Request) -> None:
        """Note the answer to a request, and carry out waiting requests that have space now."""
        self.count -= 1
        self._bytes -= len(request.params)
        if self.held and not self._taking:
            self._take_held()

    def release(self) -> None:
        """Drop the requests that wait, and the connection: the client is gone."""
        self.held = None
        self._take = self._read_on = _nothing

    def _take_held(self) -> None:
        self._taking = True
        try:
            while self.held:
                size = self._bytes + len(self.held[0].params)
                # However large it is, a single request is carried out.
                if self.count and not self._has_space(size):
                    return
                self.count += 1
                self._bytes = size
                self._take(self.held.popleft())
        finally:
            self._taking = False
        self._read_on()

    def _has_space(self, size: int) -> bool:
        return self.count < self._requests_max and size <= IN_FLIGHT_BYTES_MAX


def _nothing(*_: object) -> None:
    pass
