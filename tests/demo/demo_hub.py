"""Hubs with the demo, in virtual time."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from random import Random
from typing import Literal

import anyio
import msgspec
import pytest

import hubbub
from hubbub.demo.feature import DEMO
from hubbub.domain import Feature
from hubbub.testing import VirtualClock, run_in_virtual_time

__all__ = ["Backend", "demo_hub", "in_demo", "lobby_of", "on_each_backend", "texts_in"]

Backend = Literal["asyncio", "trio"]
Story = Callable[[hubbub.Hubbub], Awaitable[None]]

on_each_backend = pytest.mark.parametrize("backend", ["asyncio", "trio"])

SETTINGS = hubbub.Settings()
# Real seconds that a database, which virtual time cannot see, may take.
DISK_SECONDS = 0.03


def in_demo(
    backend: Backend,
    *stories: Story,
    url: str = "memory://",
    settings: hubbub.Settings = SETTINGS,
    features: Sequence[Feature] = hubbub.FEATURES,
    pause: float = 1.0,
) -> None:
    """
    Let each story happen in a hub with the demo; the hub is opened again for each.

    Args:
        backend: the event loop.
        stories: what happens.
        url: where the hub keeps it.
        settings: the hub's; its clock is replaced.
        features: what the hub has besides the demo.
        pause: how long the hub is closed between two stories, in seconds.
    """

    async def run() -> None:
        for story in stories:
            async with demo_hub(url, settings, features) as hub:
                await story(hub)
            await anyio.sleep(pause)

    grace = 0.0 if url == "memory://" else DISK_SECONDS
    run_in_virtual_time(run, backend=backend, grace=grace)


@asynccontextmanager
async def demo_hub(
    url: str = "memory://",
    settings: hubbub.Settings = SETTINGS,
    features: Sequence[Feature] = hubbub.FEATURES,
) -> AsyncIterator[hubbub.Hubbub]:
    """Open a hub with the demo, whose clock is the event loop's and whose chance is seeded."""
    seeded = msgspec.structs.replace(settings, clock=VirtualClock(), random=Random(1))
    async with hubbub.open(url, settings=seeded, features=[*features, DEMO]) as hub:
        yield hub


async def lobby_of(session: hubbub.Session) -> hubbub.Room:
    """Join the lobby, and wait until the bot has said welcome."""
    (lobby,) = [room for room in await session.chat.rooms() if room.name == "Lobby"]
    lobby = await session.chat.join(lobby.id)
    await anyio.sleep(2)
    return lobby


async def texts_in(session: hubbub.Session, room: hubbub.Room, *, after: int = 0) -> list[str]:
    """Return the texts of the messages in a room, from a seq on."""
    page = await session.chat.history(room.id, after=after, limit=500)
    return [message.text for message in page]
