"""Ephemeral signals, for a task that can wait."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Callable

import msgspec

from ...wake_up import WakeUp
from ..event import Signal

__all__ = ["SIGNALS_MAX", "Signals"]

# Signals that nobody has taken yet; the oldest are dropped then: they are not kept.
SIGNALS_MAX = 256

_decode = msgspec.json.Decoder(Signal).decode


class Signals(AsyncIterator[Signal]):
    """
    The signals of a stream, one by one.

    Args:
        check: called while there are none; raises when there will be none any more.
    """

    __slots__ = ("_bodies", "_check", "_wake_up")

    def __init__(self, check: Callable[[], None]) -> None:
        self._bodies: deque[bytes] = deque(maxlen=SIGNALS_MAX)
        self._check = check
        self._wake_up = WakeUp()

    def put(self, body: bytes) -> None:
        """Take an encoded signal in."""
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
