"""The time that a method of a game's handler can take; what the store takes is not its fault."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable
from typing import TypeVar

import anyio

__all__ = ["COUNTED_SECONDS_MAX", "CallLimit"]

R = TypeVar("R")

# How much of one wait for the hub counts, in seconds. The rest does not: while the store or another
# node stands still, a match must not end. A handler that calls the hub without end is cancelled
# all the same.
COUNTED_SECONDS_MAX = 0.1


class CallLimit:
    """
    Limits the calls of one match's handler, which come one after another.

    Args:
        seconds_max: how long each call can take.
    """

    def __init__(self, seconds_max: float) -> None:
        self._seconds_max = seconds_max
        # The task and the scope of the current call; tasks that the handler starts have no limit.
        self._current: tuple[int, anyio.CancelScope] | None = None

    async def run(self, what: str, call: Callable[[], Awaitable[object]]) -> None:
        """
        Await a call.

        Args:
            what: the name of the handler's method, for the error.
            call: calls it.

        Raises:
            TimeoutError: it took too long, and was cancelled.
        """
        try:
            with anyio.move_on_after(self._seconds_max) as scope:
                self._current = anyio.get_current_task().id, scope
                await call()
        finally:
            self._current = None
        if scope.cancelled_caught:
            raise TimeoutError(f"{what} took longer than {self._seconds_max:g} s")

    async def wait_for(self, written: Awaitable[R]) -> R:
        """Await what the hub does for a call, and count only a part of a long wait."""
        if self._current is None or self._current[0] != anyio.get_current_task().id:
            return await written
        scope, began = self._current[1], anyio.current_time()
        due, scope.deadline = scope.deadline, math.inf
        try:
            return await written
        finally:
            now = anyio.current_time()
            scope.deadline = due + max(0.0, now - began - COUNTED_SECONDS_MAX)
            if now >= scope.deadline:
                # The next wait may begin before the event loop looks at the deadline.
                scope.cancel()
