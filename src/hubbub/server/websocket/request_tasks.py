"""
Requests that tasks answer, because they wait for more than a decision.

The tasks run in the hub's task group, a few of each connection at one time. While the client does
not read, no task begins: an answer can be large, and would wait for the network in memory.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable
from typing import Protocol

import anyio

from ...errors import Conflict
from ...wire.peer import Request

__all__ = ["RUNNING_MAX", "RequestTasks"]

# Requests of one connection that run as tasks at the same time; the others wait their turn.
RUNNING_MAX = 8

Start = Callable[..., None]
Work = Callable[[], Awaitable[object]]


class Answering(Protocol):
    """A connection, which sends the answers."""

    @property
    def paused(self) -> bool:
        """True while the client does not read."""

    def answer(self, request: Request, result: object) -> None:
        """Answer a request."""

    def refuse(self, request: Request, error: Exception) -> None:
        """Answer a request with an error."""

    def flush(self) -> None:
        """Send the answers that have gathered."""


class RequestTasks:
    """
    The tasks of one connection.

    Args:
        connection: sends the answers.
        start: runs an async function in the hub's task group.
    """

    __slots__ = ("_connection", "_running", "_start", "_waiting")

    def __init__(self, connection: Answering, start: Start) -> None:
        self._connection = connection
        self._start = start
        self._running: dict[_Running, None] = {}
        self._waiting: deque[_Running] = deque()

    def add(self, request: Request, work: Work) -> None:
        """Answer a request with what ``work`` returns, or raises, when its turn comes."""
        self._waiting.append(_Running(request, work))
        self.begin()

    def begin(self) -> None:
        """Start the next requests, unless the client does not read."""
        while self._waiting and len(self._running) < RUNNING_MAX and not self._connection.paused:
            running = self._waiting.popleft()
            self._running[running] = None
            self._start(self._run, running)

    def cancel(self, number: object) -> None:
        """Cancel the requests with an id, and answer them with an error."""
        for running in list(self._running):
            if running.request.id == number:
                running.cancel()
        for running in [one for one in self._waiting if one.request.id == number]:
            self._waiting.remove(running)
            self._connection.refuse(running.request, _cancelled())

    def release(self) -> None:
        """Cancel everything: the client is gone."""
        self._waiting.clear()
        for running in list(self._running):
            running.cancel()

    async def _run(self, running: _Running) -> None:
        connection, request = self._connection, running.request
        try:
            with anyio.CancelScope() as running.scope:
                if running.cancelled:
                    running.scope.cancel()
                try:
                    connection.answer(request, await running.work())
                except Exception as error:  # the client gets it, and the log
                    connection.refuse(request, error)
            if running.scope.cancelled_caught:
                connection.refuse(request, _cancelled())
        finally:
            del self._running[running]
            self.begin()
            connection.flush()


class _Running:
    """A request and its task, which has perhaps not begun."""

    __slots__ = ("cancelled", "request", "scope", "work")

    def __init__(self, request: Request, work: Work) -> None:
        self.request = request
        self.work = work
        self.cancelled = False
        self.scope: anyio.CancelScope | None = None

    def cancel(self) -> None:
        self.cancelled = True
        if self.scope is not None:
            self.scope.cancel()


def _cancelled() -> Conflict:
    return Conflict("You have cancelled this request.")
