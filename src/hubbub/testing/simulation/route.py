"""One direction between two hosts: how long bytes take, and what is wrong with it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from random import Random

__all__ = ["Conditions", "Counts", "Route"]

# A write is torn into at most so many more pieces.
CUTS_MAX = 3
# On a slow route bytes arrive about so often in each second.
PIECES_EACH_SECOND = 20


@dataclass(frozen=True, slots=True)
class Conditions:
    """
    Properties of a network without faults.

    Args:
        latency: the least and the greatest seconds that bytes take in one direction.
        split: how often, from 0 to 1, a write arrives in several pieces.
        window: bytes under way and unread in one direction before ``send`` waits.
    """

    latency: tuple[float, float]
    split: float
    window: int


@dataclass(slots=True)
class Counts:
    """Counts of events and faults; the network returns them as a frozen ``NetworkStats``."""

    connections: int = 0
    refused: int = 0
    bytes_sent: int = 0
    bytes_received: int = 0
    bytes_lost: int = 0
    partitions: int = 0
    holds: int = 0
    heals: int = 0
    cuts: int = 0
    half_open: int = 0
    slowed: int = 0
    handlers_failed: int = 0


class Route:
    """
    The way from one host to another.

    Args:
        conditions: what the network is like.
        random: draws the latencies and the pieces.
    """

    __slots__ = ("_free_at", "_random", "blocked_since", "bytes_per_second", "conditions")

    def __init__(self, conditions: Conditions, random: Random) -> None:
        self.conditions = conditions
        self._random = random
        # Bytes that would arrive later than this wait until the route is healed.
        self.blocked_since = math.inf
        self.bytes_per_second = math.inf
        self._free_at = 0.0

    @property
    def is_blocked(self) -> bool:
        """Whether nothing arrives."""
        return self.blocked_since != math.inf

    def latency(self) -> float:
        """Draw how many seconds the next bytes take."""
        least, greatest = self.conditions.latency
        return least + (greatest - least) * self._random.random()

    def heal(self) -> None:
        """Let everything pass again, at full speed."""
        self.blocked_since = self.bytes_per_second = math.inf

    def arrivals(self, data: bytes, now: float) -> Iterator[tuple[float, bytes]]:
        """Yield the pieces in which bytes arrive, and when; a later one may seem to be earlier."""
        for piece in self._pieces(data):
            departs = now
            if self.bytes_per_second != math.inf:
                departs = max(now, self._free_at) + len(piece) / self.bytes_per_second
                self._free_at = departs
            yield departs + self.latency(), piece

    def _pieces(self, data: bytes) -> list[bytes]:
        if self.bytes_per_second != math.inf:
            size = max(1, int(self.bytes_per_second / PIECES_EACH_SECOND))
            return [data[at : at + size] for at in range(0, len(data), size)]
        split = self.conditions.split
        if len(data) < 2 or not split or self._random.random() >= split:
            return [data]
        count = min(self._random.randint(1, CUTS_MAX), len(data) - 1)
        cuts = [0, *sorted(self._random.sample(range(1, len(data)), count)), len(data)]
        return [data[start:end] for start, end in pairwise(cuts)]
