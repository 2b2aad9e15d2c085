"""Frames that wait to be sent, or to be received."""

from __future__ import annotations

from collections import deque

from ...wake_up import WakeUp
from .outbox import Sent

__all__ = ["FrameQueue"]


class FrameQueue:
    """
    Holds frames in order until a task takes them; a frame that has no room is dropped.

    Args:
        bytes_max: the most bytes that wait.
    """

    def __init__(self, bytes_max: int) -> None:
        # The bytes that wait.
        self.size = 0
        self._bytes_max = bytes_max
        self._frames: deque[Sent] = deque()
        self._wake_up = WakeUp()

    def put(self, shard: int, frame: bytes) -> None:
        """Add a frame, if it has room."""
        if self.size + len(frame) <= self._bytes_max:
            self._frames.append((shard, frame))
            self.size += len(frame)
            self._wake_up.set()

    async def take(self, count: int | None = None) -> list[Sent]:
        """Wait until there are frames, and return all, or the first ``count``."""
        while not self._frames:
            await self._wake_up.wait()
        waiting = len(self._frames)
        taken = [self._frames.popleft() for _ in range(min(waiting, count or waiting))]
        self.size -= sum(len(frame) for _, frame in taken)
        return taken
