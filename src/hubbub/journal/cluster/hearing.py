"""
Whether a node hears all other nodes.

A node can live and write to the store while its frames do not arrive: its own connection to the
bus is broken, the bus is partitioned, or the node was started with another bus. No number shows
that its frames are lost.
"""

from __future__ import annotations

from collections.abc import Iterable

from .bus import SHARDS

__all__ = ["PEER_SILENT_SECONDS_MAX", "Hearing"]

# If no frame of a live node arrives for this long, its frames are lost. A node that dies is known
# to be dead before.
PEER_SILENT_SECONDS_MAX = 5.0


class Hearing:
    """When each other node was last heard, for each shard."""

    def __init__(self) -> None:
        self._heard: dict[str, list[float]] = {}

    def expect(self, nodes: Iterable[str], now: float) -> None:
        """Expect to hear these nodes, and no others."""
        known = self._heard
        self._heard = {node: known.get(node) or [now] * SHARDS for node in nodes}

    def note(self, node: str, shard: int, now: float) -> None:
        """Note that a frame of a node came, if it is an expected node."""
        if (heard := self._heard.get(node)) is not None:
            heard[shard] = now

    def restart(self, now: float) -> None:
        """Wait for all expected nodes as if their frames had just come."""
        self._heard = {node: [now] * SHARDS for node in self._heard}

    def misses(self, shard: int, now: float) -> bool:
        """Return whether the frames of a node have ceased to come."""
        return any(now - heard[shard] > PEER_SILENT_SECONDS_MAX for heard in self._heard.values())
