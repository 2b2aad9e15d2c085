"""
The deadlines of many connections, with a single task that waits.

Most connections are done in time, and a timer or a task for each would be most of their cost.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from itertools import takewhile

import anyio

from ..wake_up import WakeUp

__all__ = ["LATE_SECONDS", "Deadlines"]

logger = logging.getLogger("hubbub.server")

# If the time of a deadline is longer ago than this, in seconds, the server itself was busy. Then
# it first reads what the clients sent meanwhile.
LATE_SECONDS = 1.0

Expired = Callable[[], None]


class Deadlines:
    """
    Calls what is not done in time. There are few different times, and many deadlines of each.

    Args:
        now: returns the time of the event loop, in seconds.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self.now = now
        # Seconds -> their deadlines: the first to be added is the first to expire.
        self._open: dict[float, dict[object, tuple[float, Expired]]] = {}
        self._seconds: dict[object, float] = {}
        # When the task wakes; None while it does not wait for a time.
        self._wakes_at: float | None = None
        self._wake_up = WakeUp()

    def add(self, what: object, seconds: float, expired: Expired) -> None:
        """Call ``expired`` after so many seconds, unless it is discarded before."""
        self.discard(what)
        due = self.now() + seconds
        self._open.setdefault(seconds, {})[what] = due, expired
        self._seconds[what] = seconds
        if self._wakes_at is None or due < self._wakes_at:
            self._wakes_at = due
            self._wake_up.set()

    def discard(self, what: object) -> None:
        """Note that something is done, or has no deadline."""
        if (seconds := self._seconds.pop(what, None)) is not None:
            del self._open[seconds][what]

    async def run(self) -> None:
        """Call what is late, until cancelled."""
        while True:
            self._wakes_at = min(self._firsts(), default=None)
            if self._wakes_at is None:
                await self._wake_up.wait()
            elif (wait := self._wakes_at - self.now()) > 0:
                with anyio.move_on_after(wait):
                    await self._wake_up.wait()
            else:
                if wait < -LATE_SECONDS:
                    await anyio.sleep(LATE_SECONDS)
                self._call_late()

    def _firsts(self) -> Iterator[float]:
        """Give the first deadline of each time."""
        return (next(iter(of.values()))[0] for of in self._open.values() if of)

    def _call_late(self) -> None:
        now = self.now()
        for deadlines in list(self._open.values()):
            late = list(takewhile(lambda one: one[1][0] <= now, deadlines.items()))
            for what, deadline in late:
                # An earlier call may have ended it.
                if deadlines.get(what) is deadline:
                    self.discard(what)
                    self._call(deadline[1])

    def _call(self, expired: Expired) -> None:
        try:
            expired()
        except Exception:
            # The others still have their deadlines.
            logger.exception("a connection failed")
