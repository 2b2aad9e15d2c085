"""Nodes of a cluster without a server, in virtual time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import cast

import anyio

from hubbub.errors import StorageError
from hubbub.journal.cluster.bus import Bus
from hubbub.journal.cluster.nodes import Nodes
from hubbub.journal.cluster.relay import Ears, Relay
from hubbub.journal.stores.memory import MemoryStore
from hubbub.journal.stores.sharing import NodeRecord, SharedStore
from hubbub.testing import VirtualClock
from hubbub.wake_up import WakeUp

__all__ = [
    "Listener",
    "Member",
    "SharedRecords",
    "cluster",
    "in_trouble",
    "listening",
    "node",
    "until",
]


class SharedRecords(MemoryStore):
    """The parts of a shared store that nodes and relays use: beats, and the heads of streams."""

    def __init__(self) -> None:
        super().__init__(shared=True)
        self.written: dict[str, list[bytes]] = defaultdict(list)
        # How many heads were asked for, each time.
        self.asked: list[int] = []
        self.away = False
        self._beats: dict[str, tuple[str, str, float, bool]] = {}

    def beat(self, node: str, name: str, version: str, *, leaving: bool) -> list[NodeRecord]:
        self._reach()
        now = VirtualClock().monotonic()
        self._beats[node] = (name, version, now, leaving)
        return [
            NodeRecord(id_, called, release, now - seen, going)
            for id_, (called, release, seen, going) in self._beats.items()
        ]

    def heads(self, streams: Sequence[str]) -> dict[str, int]:
        self._reach()
        self.asked.append(len(streams))
        return {name: len(self.written[name]) for name in streams if name in self.written}

    def _reach(self) -> None:
        if self.away:
            raise StorageError("The database is away.")


class Member:
    """A node that writes and follows streams, as a journal does."""

    def __init__(self, name: str, store: SharedRecords, bus: Bus) -> None:
        self.nodes = node(name, store)
        ears = Ears(self.events, self.signal, lambda: self.heads, self.behind)
        self.relay = Relay(bus, self.nodes, cast(SharedStore, store), VirtualClock(), ears)
        # The events of the followed streams, in the order in which followers had them.
        self.had: dict[str, list[bytes]] = {}
        self.heard: list[tuple[str, int, Sequence[bytes]]] = []
        self.signals: list[tuple[str, bytes]] = []
        self.caught_up: list[str] = []
        self._store = store

    @property
    def heads(self) -> dict[str, int]:
        return {stream: len(bodies) for stream, bodies in self.had.items()}

    def follow(self, *streams: str) -> None:
        for stream in streams:
            self.had[stream] = list(self._store.written[stream])

    def write(self, stream: str, *bodies: bytes) -> None:
        """Commit events, tell the own followers, and the other nodes."""
        events = self._store.written[stream]
        first = len(events) + 1
        events += bodies
        self.events(stream, first, bodies)
        self.relay.publish({stream: (first, bodies)})

    def events(self, stream: str, first: int, bodies: Sequence[bytes]) -> None:
        self.heard.append((stream, first, bodies))
        if (had := self.had.get(stream)) is None:
            return
        if first > len(had) + 1:
            had += self._store.written[stream][len(had) : first - 1]
        had += bodies[len(had) + 1 - first :]

    def signal(self, stream: str, body: bytes) -> None:
        self.signals.append((stream, body))

    def behind(self, stream: str, head: int) -> None:
        if (had := self.had.get(stream)) is not None and len(had) < head:
            self.caught_up.append(stream)
            had += self._store.written[stream][len(had) : head]

    async def run(self) -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self.nodes.run)
            tasks.start_soon(self.relay.run)


@asynccontextmanager
async def cluster(
    store: SharedRecords, bus: Bus, names: str = "abc"
) -> AsyncGenerator[list[Member]]:
    """Run some nodes, and return when they know one another."""
    members = [Member(name, store, bus) for name in names]
    async with anyio.create_task_group() as tasks:
        for member in members:
            tasks.start_soon(member.run)
        await until(lambda: all(len(one.nodes.live()) == len(names) for one in members))
        yield members
        tasks.cancel_scope.cancel()


async def until(holds: Callable[[], bool], seconds: float = 10) -> None:
    """Return when something holds; fail if it does not come to that."""
    with anyio.fail_after(seconds):
        while not holds():  # noqa: ASYNC110  (nobody tells of it)
            await anyio.sleep(0.01)


def node(name: str, store: MemoryStore) -> Nodes:
    return Nodes(name, store, VirtualClock())


class Listener:
    """A node that notes everything that a bus carries to it."""

    def __init__(self, bus: Bus) -> None:
        self.bus = bus
        self.frames: list[bytes] = []
        self.losses = 0
        # Called with each frame.
        self.note: Callable[[], object] = lambda: None
        self._wake_up = WakeUp()

    async def run(self) -> None:
        await self.bus.run(self.heard, self.lost)

    def heard(self, frame: bytes) -> None:
        self.frames.append(frame)
        self.note()
        self._wake_up.set()

    def lost(self) -> None:
        self.losses += 1
        self._wake_up.set()

    async def until(self, holds: Callable[[], bool]) -> None:
        with anyio.fail_after(10):
            while not holds():
                await self._wake_up.wait()


@asynccontextmanager
async def listening(*buses: Bus) -> AsyncGenerator[list[Listener]]:
    """Connect some buses, each a node's own."""
    listeners = [Listener(bus) for bus in buses]
    async with anyio.create_task_group() as tasks:
        for one in listeners:
            tasks.start_soon(one.run)
        for one in listeners:
            await one.until(partial(getattr, one, "losses"))
        yield listeners
        tasks.cancel_scope.cancel()


async def in_trouble(*buses: Bus) -> None:
    """Run buses that cannot connect until each says why."""
    async with anyio.create_task_group() as tasks:
        for bus in buses:
            tasks.start_soon(Listener(bus).run)
        await until(lambda: all(bus.trouble for bus in buses))
        tasks.cancel_scope.cancel()
