"""Nodes of one cluster in this process, in virtual time."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from random import Random
from typing import Any

import hubbub
from hubbub import FEATURES, Hubbub, Settings
from hubbub.domain import Feature
from hubbub.journal.cluster.bus import Bus
from hubbub.journal.cluster.memory_bus import MemoryBus
from hubbub.server import Gateway
from hubbub.stores import MemoryStore
from hubbub.testing import VirtualClock, run_in_virtual_time
from tests.event_loop import Backend
from tests.journal.cluster.kit import until
from tests.server.memory_socket import Client

__all__ = ["Cluster", "die", "in_cluster", "signed_in"]


class Cluster:
    """Opens nodes that share a store and a bus."""

    def __init__(self, bus: Bus) -> None:
        self.bus = bus
        self.store = MemoryStore(Random(1), shared=True, clock=VirtualClock())

    @asynccontextmanager
    async def node(
        self, features: Sequence[Feature] = FEATURES, **settings: Any
    ) -> AsyncIterator[Hubbub]:
        """Run a node."""
        given = Settings(clock=VirtualClock(), random=Random(), **settings)
        async with hubbub.open(
            store=self.store, bus=self.bus, settings=given, features=features
        ) as hub:
            yield hub

    @asynccontextmanager
    async def nodes(self, **settings: Any) -> AsyncIterator[tuple[Hubbub, Hubbub]]:
        """Run two nodes that know each other's users."""
        async with self.node(**settings) as one, self.node(**settings) as two:
            await until(lambda: knows(one, 2) and knows(two, 2))
            yield one, two


def in_cluster(
    backend: Backend,
    story: Callable[[Cluster], Awaitable[None]],
    bus: Bus | None = None,
) -> None:
    """Tell a story of nodes in virtual time."""

    async def run() -> None:
        await story(Cluster(bus or MemoryBus()))

    run_in_virtual_time(run, backend=backend)


def knows(hub: Hubbub, nodes: int) -> bool:
    return len(hub.journal.nodes.live()) == nodes and hub.knows_presence


def die(hub: Hubbub) -> None:
    """Let a node be silent, as if its process had been killed."""
    nodes = hub.journal.nodes

    async def no_beat() -> None:
        return

    nodes.beat = no_beat  # type: ignore[method-assign]
    nodes.messages.send = None


async def signed_in(gateway: Gateway, user: str, session: str, role: str = "user") -> Client:
    """Connect a client with a token."""
    client = Client(gateway)
    token = gateway.tokens.sign(user, role, session)
    answer = await client.ask("session.sign_in", token=token)
    assert "result" in answer
    return client
