"""
The clock of a node, which shows the time of the store that all nodes share.

Tokens, timers and searches of one node are read by others, so a machine whose clock is wrong
must not count with its own time.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

from ...clock import Clock
from ...ids import Ids
from ...settings import Settings

__all__ = ["StoreClock", "by_store_clock"]

# A difference that does not matter; machines whose clocks are right keep their own time.
TOLERANCE = timedelta(seconds=1)
# An answer that took longer says less about the time, in seconds.
QUICK_SECONDS_MAX = 0.25


class StoreClock:
    """
    A clock that is put right by what a shared store says.

    Args:
        own: the clock of this machine.
    """

    __slots__ = ("_ahead", "_own", "monotonic")

    def __init__(self, own: Clock) -> None:
        self._own = own
        # How far the store's clock is ahead of this machine's.
        self._ahead = timedelta()
        self.monotonic = own.monotonic

    def now(self) -> datetime:
        """Return the store's time, as far as it is known, in UTC."""
        return self._own.now() + self._ahead

    def follow(self, at: datetime, took: float) -> None:
        """
        Put the clock right.

        Args:
            at: the store's time when it answered.
            took: how long the answer took, in seconds.
        """
        ahead = at - self._own.now()
        # An answer that was late on its way can only show less than the true difference.
        if took > QUICK_SECONDS_MAX and ahead < self._ahead:
            return
        if abs(ahead) <= TOLERANCE:
            ahead = timedelta()
        if abs(ahead - self._ahead) > TOLERANCE or not ahead:
            self._ahead = ahead


def by_store_clock(settings: Settings) -> tuple[Settings, Ids]:
    """Return settings, and ids, by which everything in a hub uses the time of the store."""
    clock = StoreClock(settings.clock)
    return msgspec.structs.replace(settings, clock=clock), Ids(clock, settings.random)
