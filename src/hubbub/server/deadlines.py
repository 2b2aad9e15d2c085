"""
The deadlines of many connections, with a single task that waits.

Most connections are done in time, and a timer or a task for each would be most of their cost.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

import anyio

from ..wake_up import WakeUp

__all__ = ["LATE_SECONDS", "Deadlines"]

logger = logging.getLogger("hubbub.server")

# If the time of a deadline is longer ago than this, in seconds, the server itself was busy. Then
# it first reads what the clients sent meanwhile.
LATE_SECONDS = 1.0


class Deadlines:
    """
    Calls what is not done in time.

    All deadlines of one object are the same time after they are added: so the first to be added
    is the first to expire.

    Args:
        now: returns the time of the event loop, in seconds.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._open: dict[object, tuple[float, Callable[[], None]]] = {}
        self._idle = False
        self._wake_up = WakeUp()

    def add(self, what: object, seconds: float, expired: Callable[[], None]) -> None:
        """Call ``expired`` after so many seconds, unless it is discarded before."""
        self._open[what] = self._now() + seconds, expired
        if self._idle:
            self._idle = False
            self._wake_up.set()

    def discard(self, what: object) -> None:
        """Note that something is done, or has no deadline."""
        self._open.pop(what, None)

    async def run(self) -> None:
        """Call what is late, until cancelled."""
        while True:
            if not self._open:
                self._idle = True
                await self._wake_up.wait()
                continue
            due, _ = next(iter(self._open.values()))
            await anyio.sleep(due - self._now())
            if self._now() - due > LATE_SECONDS:
                await anyio.sleep(LATE_SECONDS)
            self._call_late()

    def _call_late(self) -> None:
        now = self._now()
        for what, (due, expired) in list(self._open.items()):
            if due > now:
                return
            # An earlier call may have ended it.
            if self._open.pop(what, None) is not None:
                try:
                    expired()
                except Exception:
                    # The others still have their deadlines.
                    logger.exception("a connection failed")
