"""A clock that stands until a test moves it."""

from __future__ import annotations

from datetime import datetime, timedelta

from anyio.lowlevel import checkpoint

from .virtual_time import EPOCH

__all__ = ["ManualClock"]


class ManualClock:
    """
    A clock that stands until you move it: ``Settings(clock=ManualClock())``.

    It moves what reads the time, like limits and expiry. It does not move the event loop: a task
    that sleeps keeps sleeping. Use a simulated test, or :func:`run_in_virtual_time`, for that.
    """

    def __init__(self) -> None:
        self._seconds = 0.0

    def now(self) -> datetime:
        """Return the current time in UTC; it begins at :data:`EPOCH`."""
        return EPOCH + timedelta(seconds=self._seconds)

    def monotonic(self) -> float:
        """Return the seconds that the clock was moved."""
        return self._seconds

    async def advance(self, seconds: float) -> None:
        """
        Move the clock, and let other tasks run.

        Args:
            seconds: how far; 0 or more.

        Raises:
            ValueError: a clock does not run backwards.
        """
        if seconds < 0:
            raise ValueError(f"A clock does not run backwards, so not by {seconds} seconds.")
        self._seconds += seconds
        await checkpoint()
