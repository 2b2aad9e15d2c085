"""The time by the clock of a store that several nodes share."""

from __future__ import annotations

from datetime import datetime, timedelta

from ..clock import Clock

__all__ = ["LEARN_SECONDS_MAX", "StoreClock"]

# From an answer that took longer than this, the time is not learned: it may be as old as that.
LEARN_SECONDS_MAX = 0.5


class StoreClock:
    """
    A clock that continues from the last time that the store told.

    So the time of day of the node may be wrong.

    Args:
        clock: of this node: it measures how much time passes, and counts until the store has told.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        # The last time that the store told, and when it did, by the node's monotonic time.
        self._told: tuple[datetime, float] | None = None

    def now(self) -> datetime:
        """Return the time of the store, in UTC, as far as this node knows it."""
        if self._told is None:
            return self._clock.now()
        told, heard = self._told
        return told + timedelta(seconds=self._clock.monotonic() - heard)

    def monotonic(self) -> float:
        """Return the node's monotonic time in seconds."""
        return self._clock.monotonic()

    def learn(self, told: datetime, asked: float) -> None:
        """
        Learn what the time is.

        Args:
            told: the time by the store's clock.
            asked: when the node asked the store, by the node's monotonic time.
        """
        heard = self._clock.monotonic()
        if self._told is None or heard - asked <= LEARN_SECONDS_MAX:
            self._told = told, heard
