"""A bus between hubs of one process that loses, repeats, delays and reorders frames."""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush
from random import Random

import anyio

from ..wake_up import WakeUp

__all__ = ["FaultyBus"]


class FaultyBus:
    """
    Connects all hubs of an event loop that are opened with the same instance.

    You can change all of this at any time.

    Args:
        random: a seeded generator: the same seed and the same frames, the same faults.
        losses, repeats, delays: the shares of the frames that each hub does not get, gets
            twice, and gets later.
        delay_seconds_max: how much later at most; so frames can overtake one another.
    """

    frame_bytes_max = 64 * 1024
    trouble = ""

    def __init__(
        self,
        random: Random,
        *,
        losses: float = 0.0,
        repeats: float = 0.0,
        delays: float = 0.0,
        delay_seconds_max: float = 0.2,
    ) -> None:
        self.losses = losses
        self.repeats = repeats
        self.delays = delays
        self.delay_seconds_max = delay_seconds_max
        # True while nothing comes through, although the connection looks well.
        self.away = False
        self._random = random
        # In the order of joining, so that a seed always draws for the same hub.
        self._members: dict[_Member, None] = {}
        self._sent = 0

    async def run(self, heard: Callable[[bytes], None], lost: Callable[[], None]) -> None:
        """Receive until cancelled; see :class:`hubbub.journal.cluster.bus.Bus`."""
        member = _Member(lost)
        self._members[member] = None
        try:
            lost()
            while True:
                await member.receive(heard)
        finally:
            del self._members[member]

    def publish(self, shard: int, frame: bytes) -> None:
        """Send a frame, if nothing goes wrong; see :class:`hubbub.journal.cluster.bus.Bus`."""
        for member in self._members:
            # Always as many draws, so that a share changes nothing but its own faults.
            lost, repeated, *late = [self._random.random() for _ in range(4)]
            seconds = [self._random.uniform(0, self.delay_seconds_max) for _ in late]
            if self.away or lost < self.losses:
                continue
            for copy in range(2 if repeated < self.repeats else 1):
                self._sent += 1
                delay = seconds[copy] if late[copy] < self.delays else 0.0
                member.put(anyio.current_time() + delay, self._sent, frame)

    def interrupt(self) -> None:
        """Break all connections: the frames on their way are lost, and the hubs notice it."""
        for member in self._members:
            member.frames.clear()
            member.lost()


class _Member:
    def __init__(self, lost: Callable[[], None]) -> None:
        self.lost = lost
        self.frames: list[tuple[float, int, bytes]] = []
        self._wake_up = WakeUp()

    def put(self, due: float, number: int, frame: bytes) -> None:
        heappush(self.frames, (due, number, frame))
        self._wake_up.set()

    async def receive(self, heard: Callable[[bytes], None]) -> None:
        while self.frames and self.frames[0][0] <= anyio.current_time():
            heard(heappop(self.frames)[2])
        pause = self.frames[0][0] - anyio.current_time() if self.frames else float("inf")
        with anyio.move_on_after(pause):
            await self._wake_up.wait()
