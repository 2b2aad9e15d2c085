"""A real server on a real socket, on the backend that the test runs on."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import anyio

import hubbub
from hubbub.server import Gateway
from hubbub.server.run import listen
from tests.server.serving import serve

__all__ = ["Running", "running"]

SETTINGS = hubbub.Settings(message_limit=100_000, requests_per_second=100_000.0)


class Running(NamedTuple):
    """A server: its hub, its gateway, its address, and what makes it stop."""

    hub: hubbub.Hubbub
    gateway: Gateway
    address: str
    stop: anyio.Event


@asynccontextmanager
async def running(
    url: str | Path = "memory://",
    settings: hubbub.Settings = SETTINGS,
    port: int = 0,
    features: Sequence[hubbub.Feature] = hubbub.FEATURES,
) -> AsyncIterator[Running]:
    """Serve a hub; leaving it stops the server, then closes the hub."""
    stop = anyio.Event()
    with listen("127.0.0.1", port) as listener:
        async with hubbub.open(str(url), settings=settings, features=features) as hub:
            gateway = Gateway(hub)
            async with anyio.create_task_group() as tasks:
                address = await tasks.start(serve, gateway, listener, stop.wait)
                yield Running(hub, gateway, address, stop)
                stop.set()
