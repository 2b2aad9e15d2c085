"""The database of a cluster with its clock, and the bus that loses frames: all nodes share them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from random import Random

import anyio

from ..stores import MemoryStore
from ..testing import FaultyBus
from ..testing.simulation.fence import current_fence
from ..testing.simulation.threads import event_loop_time
from ..testing.virtual_time import EPOCH
from .machine import MemoryMachine

__all__ = ["BusLine", "Cluster"]

# The shares of the frames that a bus loses, repeats and delays while it is lossy.
LOSSES, REPEATS, DELAYS = 0.2, 0.2, 0.3


class Cluster:
    """
    The database and the bus of some nodes; make it inside the event loop.

    Args:
        seed: draws what goes wrong.
        nodes: how many there are.

    Attributes:
        store: the database, which survives every node.
        machines: each node's view of it.
        lines: each node's connection to the bus.
        bus: the bus.
    """

    def __init__(self, seed: int, nodes: int) -> None:
        random = Random(f"cluster {seed}")
        self.store = MemoryStore(random, shared=True, clock=_DatabaseClock())
        self.machines = [
            MemoryMachine(Random(f"machine {number} {seed}"), self.store) for number in range(nodes)
        ]
        self.bus = FaultyBus(Random(f"bus {seed}"))
        self.lines = [BusLine(self.bus) for _ in range(nodes)]

    def part(self, *, parted: bool) -> None:
        """Let no node reach the database from now on, or all of them."""
        for machine in self.machines:
            machine.part(parted=parted)

    def fill(self, *, full: bool) -> None:
        """Let the database's disk be full from now on, or not any more."""
        for machine in self.machines:
            machine.fill(full=full)

    def be_lossy(self, *, lossy: bool) -> None:
        """Let the bus lose, repeat and delay frames from now on, or no more."""
        shares = (LOSSES, REPEATS, DELAYS) if lossy else (0.0, 0.0, 0.0)
        self.bus.losses, self.bus.repeats, self.bus.delays = shares


class BusLine:
    """
    The connection of one node to the bus.

    Args:
        bus: the bus.

    Attributes:
        away: whether nothing comes through, although the connection looks well; you can set it.
        still_until: until then the node stands still: it gets everything later.
    """

    trouble = ""

    def __init__(self, bus: FaultyBus) -> None:
        self.frame_bytes_max = bus.frame_bytes_max
        self.away = False
        self.still_until = 0.0
        self._bus = bus
        # The frames of a node that stands still.
        self._late: list[bytes] = []

    async def run(self, heard: Callable[[bytes], None], lost: Callable[[], None]) -> None:
        """Receive until cancelled; see :class:`hubbub.journal.cluster.bus.Bus`."""

        def take(frame: bytes) -> None:
            if self.away:
                return
            if anyio.current_time() < self.still_until:
                self._late.append(frame)
                return
            self._catch_up(heard)
            heard(frame)

        self._late.clear()
        await self._bus.run(take, lost)

    def publish(self, shard: int, frame: bytes) -> None:
        """Send a frame, if nothing goes wrong; see :class:`hubbub.journal.cluster.bus.Bus`."""
        fence = current_fence.get()
        # A node that has crashed sends nothing.
        if not self.away and (fence is None or not fence.is_down):
            self._bus.publish(shard, frame)

    def _catch_up(self, heard: Callable[[bytes], None]) -> None:
        late, self._late = self._late, []
        for frame in late:
            heard(frame)


class _DatabaseClock:
    """The true time, which worker threads can read as well."""

    def __init__(self) -> None:
        self._time = event_loop_time()

    def now(self) -> datetime:
        """Return the time in UTC."""
        return EPOCH + timedelta(seconds=self._time())

    def monotonic(self) -> float:
        """Return the event loop's time in seconds."""
        return self._time()
