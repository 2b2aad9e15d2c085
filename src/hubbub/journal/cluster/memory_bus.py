"""A bus between hubs of one process, for tests and simulations."""

from __future__ import annotations

from collections.abc import Callable

from .frame_queue import FrameQueue

__all__ = ["MEMORY_BUS_BYTES_MAX", "MemoryBus"]

# Bytes that wait for one node.
MEMORY_BUS_BYTES_MAX = 16 * 1024 * 1024


class MemoryBus:
    """Connects all hubs of an event loop that are opened with the same instance."""

    frame_bytes_max = 1024 * 1024
    trouble = ""

    def __init__(self) -> None:
        self._members: set[FrameQueue] = set()

    async def run(self, heard: Callable[[bytes], None], lost: Callable[[], None]) -> None:
        """Receive until cancelled; see :class:`Bus`."""
        member = FrameQueue(MEMORY_BUS_BYTES_MAX)
        self._members.add(member)
        try:
            lost()
            while True:
                for _, frame in await member.take():
                    heard(frame)
        finally:
            self._members.remove(member)

    def publish(self, shard: int, frame: bytes) -> None:
        """Send a frame; see :class:`Bus`."""
        for member in self._members:
            member.put(shard, frame)
