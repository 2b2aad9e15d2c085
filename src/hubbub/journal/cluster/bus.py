"""
The interface of a bus: it carries frames between the nodes of a cluster, at most once.

A bus only makes delivery quick. It may lose, repeat, delay and reorder frames: the node that
receives them notices what is missing, and reads it from the store.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

__all__ = ["SHARDS", "Bus"]

# Each stream belongs to one of so many shards; a node publishes one frame for each of them.
SHARDS = 8


class Bus(Protocol):
    """
    Carries frames to all nodes, the sender among them.

    Args:
        frame_bytes_max: the largest frame that it carries; at least twice
            ``MESSAGE_BYTES_MAX``.
        trouble: why it is not connected, in a sentence; empty while it is.
    """

    frame_bytes_max: int
    trouble: str

    async def run(self, heard: Callable[[bytes], None], lost: Callable[[], None]) -> None:
        """
        Connect, and receive until cancelled; connect again, with back-off, whenever it breaks.

        Args:
            heard: called with each frame.
            lost: called whenever frames may have been lost, such as after each reconnection.
        """

    def publish(self, shard: int, frame: bytes) -> None:
        """
        Send a frame without waiting.

        Args:
            shard: from 0 to ``SHARDS`` - 1.
            frame: at most ``frame_bytes_max`` bytes. If too many wait to be sent, or there is
                no connection, it is dropped, which is noticed as a loss.
        """
