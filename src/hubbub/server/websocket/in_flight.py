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

    __slots__ = ("_bytes", "_count", "_held", "_read_on", "_requests_max", "_take", "_taking")

    def __init__(
        self, requests_max: int, take: Callable[[Request], None], read_on: Callable[[], None]
    ) -> None:
        self._requests_max = requests_max
        self._take = take
        self._read_on = read_on
        self._count = 0
        self._bytes = 0
        # The requests that wait: most connections never have one, and a deque is large.
        self._held: deque[Request] | None = None
        # True while requests are taken, so that an answer at once takes no others.
        self._taking = False

    @property
    def full(self) -> bool:
        """True while requests wait."""
        return bool(self._held)

    def add(self, request: Request) -> None:
        """Carry a request out, now or in its turn."""
        if self._held or not self._has_space(request):
            self._held = self._held or deque()
            self._held.append(request)
        else:
            self._begin(request)

    def answered(self, request: Request) -> None:
        """Note the answer to a request, and carry out waiting requests that have space now."""
        self._count -= 1
        self._bytes -= len(request.params)
        if self._taking or not self._held:
            return
        self._taking = True
        try:
            while self._held and self._has_space(self._held[0]):
                self._begin(self._held.popleft())
        finally:
            self._taking = False
        if not self._held:
            self._read_on()

    def release(self) -> None:
        """Drop the requests that wait, and the connection: the client is gone."""
        self._held = None
        self._take = self._read_on = _nothing

    def _has_space(self, request: Request) -> bool:
        size = self._bytes + len(request.params)
        # However large it is, a single request is carried out.
        return not self._count or (self._count < self._requests_max and size <= IN_FLIGHT_BYTES_MAX)

    def _begin(self, request: Request) -> None:
        self._count += 1
        self._bytes += len(request.params)
        self._take(request)


def _nothing(*_: object) -> None:
    pass
