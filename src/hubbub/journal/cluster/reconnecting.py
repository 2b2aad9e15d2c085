"""Keeps a connection: connects again, with back-off, whenever it breaks."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

import anyio

__all__ = ["RECONNECT_SECONDS_MAX", "RECONNECT_SECONDS_MIN", "first_of", "keep_connected"]

logger = logging.getLogger("hubbub.journal")

# The first pause before the next try to connect.
RECONNECT_SECONDS_MIN = 0.1
# The longest such pause: each failure doubles it.
RECONNECT_SECONDS_MAX = 2.0


async def keep_connected(
    connect: Callable[[], Awaitable[object]], ended: Callable[[Exception | None], bool]
) -> None:
    """
    Connect again and again, until cancelled.

    Args:
        connect: connects, and returns or raises when the connection is broken.
        ended: called after that with the error, if any; returns whether there had been a
            connection.
    """
    pause = RECONNECT_SECONDS_MIN
    while True:
        error: Exception | None = None
        try:
            await connect()
        except* Exception as group:
            error = first_of(group)
            # The relay logs that the bus is away, once. A traceback could show what was sent.
            logger.debug("a connection is broken: %s", type(error).__name__)
        if ended(error):
            pause = RECONNECT_SECONDS_MIN
        await anyio.sleep(pause)
        pause = min(2 * pause, RECONNECT_SECONDS_MAX)


def first_of(error: Exception) -> Exception:
    """Return the first error of a group that is no group."""
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    return error
