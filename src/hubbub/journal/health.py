"""Whether the store works: for ``/health``, and one log line for each failure."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Literal

__all__ = ["QUIET_SECONDS", "Health"]

logger = logging.getLogger("hubbub.journal")

# How long the same kind of work can fail before it is logged again.
QUIET_SECONDS = 60.0

Work = Literal["loading", "reading", "writing"]


class Health:
    """
    The current failures of the store.

    Args:
        monotonic: returns the time, in seconds.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._failing: dict[Work, str] = {}
        self._logged_at: dict[Work, float] = {}
        # Failures that were logged, and whose end was not.
        self._to_revoke: set[Work] = set()

    @property
    def failed(self) -> str:
        """Why the store cannot be used, in a message for clients; empty while it works."""
        return next(iter(self._failing.values()), "")

    def is_failing(self, work: Work) -> bool:
        """Return whether the last operation of this kind failed."""
        return work in self._failing

    def failure(self, work: Work, error: Exception) -> None:
        """Record a failure; log it once, and not for each call."""
        # One cause that fails several kinds of operation is one log line.
        others = [words for kind, words in self._failing.items() if kind != work]
        # Recorded last, so that the first reason is shown while several kinds fail.
        self._failing[work] = words = str(error)
        now = self._monotonic()
        if words not in others and now - self._logged_at.get(work, -QUIET_SECONDS) >= QUIET_SECONDS:
            self._logged_at[work] = now
            self._to_revoke.add(work)
            logger.error("%s the store fails", work, exc_info=error)

    def success(self, work: Work) -> None:
        """Record that an operation of this kind succeeded."""
        if self._failing and work in self._failing:
            del self._failing[work]
            # Logged as often as the failure was.
            if work in self._to_revoke:
                self._to_revoke.discard(work)
                logger.warning("%s the store works again", work)
