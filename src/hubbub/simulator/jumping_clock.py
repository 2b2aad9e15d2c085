"""A wall clock that somebody sets."""

from __future__ import annotations

from datetime import datetime, timedelta

import anyio

from ..testing.virtual_time import EPOCH

__all__ = ["JumpingClock"]


class JumpingClock:
    """
    The clock of a machine: the time of day can jump, the monotonic time cannot.

    Attributes:
        ahead: how far the time of day is ahead of the true time, in seconds; you can set it.
    """

    def __init__(self) -> None:
        self.ahead = 0.0

    def now(self) -> datetime:
        """Return what the machine takes for the time, in UTC."""
        return EPOCH + timedelta(seconds=anyio.current_time() + self.ahead)

    def monotonic(self) -> float:
        """Return the event loop's time in seconds."""
        return anyio.current_time()
