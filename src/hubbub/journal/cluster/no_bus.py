"""No bus: whatever other nodes write is read from the store."""

from __future__ import annotations

from collections.abc import Callable

import anyio

__all__ = ["NoBus"]


class NoBus:
    """Carries nothing, so the relay polls the store."""

    frame_bytes_max = 1024 * 1024
    trouble = "There is none."

    async def run(self, heard: Callable[[bytes], None], lost: Callable[[], None]) -> None:
        """Wait until cancelled; see :class:`Bus`."""
        await anyio.sleep_forever()

    def publish(self, shard: int, frame: bytes) -> None:
        """Drop a frame; see :class:`Bus`."""
