"""Ephemeral signals, for a task that can wait."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Callable

import msgspec

from ...wake_up import WakeUp
from ..event import Signal

__all__ = ["SIGNALS_MAX", "Signals"]

# Buffered signals; if there are more, the oldest are dropped, because they are not durable.
SIGNALS_MAX = 256

_decode = msgspec.json.Decoder(Signal).decode


class Signals(AsyncIterator[Signal]):
    """
    Iterates over the signals of a stream.

    Args:
        check: called while there are none; raises when no more will follow.
    """

    __slots__ = ("_bodies", "_check", "_wake_up")

    def __init__(self, check: Callable[[], None]) -> None:
        self._bodies: deque[bytes] = deque(maxlen=SIGNALS_MAX)
        self._check = check
        self._wake_up = WakeUp()

    def put(self, body: bytes) -> None:
        """Add an encoded signal."""
        self._bodies.append(body)
        self._wake_up.set()

    def look(self) -> None:
        """Check again."""
        self._wake_up.set()

    async def __anext__(self) -> Signal:
        while not self._bodies:
            self._check()
            await self._wake_up.wait()
        return _decode(self._bodies.popleft())
