"""Tests of the simulated world run in virtual time, on the event loop of this run."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from random import Random

import anyio

from hubbub.testing import run_in_virtual_time
from hubbub.testing.simulation.network import Network
from hubbub.testing.simulation.stream import NetworkStream
from tests.event_loop import Backend

__all__ = ["PORT", "connected", "echo", "in_world", "network_of", "reads"]

PORT = 80


def in_world(fn: Callable[[Network], Awaitable[object]], backend: Backend) -> None:
    """Run a test on a network whose bytes take 0.1 s."""

    async def run() -> None:
        with anyio.fail_after(3600):
            await fn(network_of())

    run_in_virtual_time(run, backend=backend)


def network_of(*, split: float = 0.0, window: int = 1_000, seed: int = 0) -> Network:
    return Network(Random(seed), latency=(0.1, 0.1), split=split, window=window)


@asynccontextmanager
async def connected(network: Network) -> AsyncIterator[tuple[NetworkStream, NetworkStream]]:
    """Connect the host `client` to the host `server`; yield both ends."""
    async with network.listen("server", PORT) as listener:
        client = await network.connect("client", "server", PORT)
        server = await listener.accept()
    try:
        yield client, server
    finally:
        client.close()
        server.close()


async def echo(stream: NetworkStream) -> None:
    async with stream:
        async for data in stream:
            await stream.send(data)


async def reads(stream: NetworkStream) -> bytes:
    """Read to the end."""
    return b"".join([data async for data in stream])
