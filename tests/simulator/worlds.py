"""Small simulated systems for tests."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from random import Random

import anyio

import hubbub
from hubbub.client import session_over
from hubbub.client.remote import RemoteSession
from hubbub.server import Identity, create_app
from hubbub.server.gateway import Gateway
from hubbub.simulator.dialing import PORT, SERVER, dial_over
from hubbub.simulator.stream_server import StreamServer
from hubbub.testing import VirtualClock
from hubbub.testing.simulation import Network

__all__ = ["CLIENT", "served", "signed_in"]

CLIENT = "10.2.0.1"


async def _who(token: str) -> Identity | None:
    return Identity(token)


@asynccontextmanager
async def served(network: Network) -> AsyncGenerator[Gateway]:
    """Serve a hub in memory on a network."""
    settings = hubbub.Settings(clock=VirtualClock(), random=Random(1))
    async with hubbub.open("memory://", settings=settings) as hub:
        gateway = Gateway(hub, _who, watch_signals=False)
        server = StreamServer(create_app(hub, gateway=gateway, page=False), gateway)
        async with (
            network.listen(SERVER, PORT) as listener,
            anyio.create_task_group() as tasks,
        ):
            tasks.start_soon(server.serve, listener)
            yield gateway
            tasks.cancel_scope.cancel()


@asynccontextmanager
async def signed_in(network: Network, user: str = "ann") -> AsyncGenerator[RemoteSession]:
    """Sign a user in over the network."""
    dial = dial_over(network, CLIENT, Random(2))
    async with session_over(
        dial, where=SERVER, token=user, random=Random(3), clock=VirtualClock()
    ) as session:
        yield session
