"""A bus between hubs of one process, for tests and simulations."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from ...wake_up import WakeUp

__all__ = ["MEMORY_BUS_BYTES_MAX", "MemoryBus"]

# Bytes that wait for one node.
MEMORY_BUS_BYTES_MAX = 16 * 1024 * 1024


class MemoryBus:
    """Connects all hubs of an event loop that are opened with the same instance."""

    frame_bytes_max = 1024 * 1024
    trouble = ""

    def __init__(self) -> None:
        self._members: set[_Member] = set()

    async def run(self, heard: Callable[[bytes], None], lost: Callable[[], None]) -> None:
        """Receive until cancelled; see :class:`Bus`."""
        member = _Member()
        self._members.add(member)
        try:
            lost()
            while True:
                await member.wake_up.wait()
                while member.frames:
                    heard(member.take())
        finally:
            self._members.remove(member)

    def publish(self, shard: int, frame: bytes) -> None:
        """Send a frame; see :class:`Bus`."""
        for member in self._members:
            member.put(frame)


class _Member:
    def __init__(self) -> None:
        self.frames: deque[bytes] = deque()
        self.wake_up = WakeUp()
        self._size = 0

    def put(self, frame: bytes) -> None:
        if self._size + len(frame) <= MEMORY_BUS_BYTES_MAX:
            self.frames.append(frame)
            self._size += len(frame)
            self.wake_up.set()

    def take(self) -> bytes:
        frame = self.frames.popleft()
        self._size -= len(frame)
        return frame
