"""When a client reconnects to a server, and when not. Pure."""

from __future__ import annotations

from random import Random

__all__ = ["Backoff", "comes_back"]

DELAY_SECONDS_FIRST = 0.1
# The longest pause before the next attempt to reconnect, in seconds.
DELAY_SECONDS_MAX = 10.0

POLICY_VIOLATION = 1008
GONE_FOR_GOOD = range(3500, 4000)


def comes_back(code: int) -> bool:
    """
    Return whether a client reconnects after a connection was closed.

    Args:
        code: the close code: of RFC 6455, section 7.4, or the server's own.
    """
    return code != POLICY_VIOLATION and code not in GONE_FOR_GOOD


class Backoff:
    """
    The pause before each attempt: up to twice as long each time, of which a random part.

    The random part, from nothing to everything, spreads clients that were disconnected at the
    same moment: "full jitter" of "Exponential Backoff and Jitter" (M. Brooker, 2015).

    Args:
        random: the source of the random part.
    """

    __slots__ = ("_random", "_seconds")

    def __init__(self, random: Random) -> None:
        self._random = random
        self._seconds = DELAY_SECONDS_FIRST

    def next(self) -> float:
        """Return the next pause, in seconds."""
        seconds = self._seconds
        self._seconds = min(2 * seconds, DELAY_SECONDS_MAX)
        return self._random.uniform(0, seconds)

    def reset(self) -> None:
        """Start again: there was a stable connection."""
        self._seconds = DELAY_SECONDS_FIRST
