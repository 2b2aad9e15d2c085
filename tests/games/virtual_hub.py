"""Hubs in virtual time, and what happens in their matches."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime
from random import Random
from typing import Any, Literal, Protocol

import anyio
import msgspec

import hubbub
from hubbub.testing import EPOCH, VirtualClock, run_in_virtual_time

__all__ = [
    "Play",
    "Send",
    "Story",
    "match_of_two",
    "moment",
    "open_hub",
    "play_in_virtual_time",
    "seconds",
    "senders",
    "told",
    "what",
]

Story = Callable[[hubbub.Hubbub], Awaitable[None]]
SETTINGS = hubbub.Settings()
# Real seconds that a database, which virtual time cannot see, may take.
DISK_SECONDS = 0.03
# When a hub is opened again, in seconds since the story began.
LATER = 100.0


class Play(Protocol):
    """Opens a hub in virtual time, and lets a story happen in it."""

    def __call__(
        self,
        story: Story,
        *,
        games: Mapping[str, hubbub.Game] | None = ...,
        settings: hubbub.Settings = ...,
        url: str = ...,
        later: Story | None = ...,
    ) -> None: ...


def play_in_virtual_time(
    backend: Literal["asyncio", "trio"],
    story: Story,
    *,
    games: Mapping[str, hubbub.Game] | None = None,
    settings: hubbub.Settings = SETTINGS,
    url: str = "memory://",
    later: Story | None = None,
) -> None:
    """
    Open a hub in virtual time, and let a story happen in it.

    Args:
        backend: the event loop.
        story: what happens.
        games: what can be played.
        settings: the hub's; its clock is replaced.
        url: where the hub keeps it.
        later: what happens after the hub was closed, and opened again 100 seconds after
            the story began.
    """

    async def run() -> None:
        async with open_hub(url, games, settings) as hub:
            await story(hub)
        if later is not None:
            await anyio.sleep_until(LATER)
            async with open_hub(url, games, settings) as hub:
                await later(hub)

    grace = 0.0 if url == "memory://" else DISK_SECONDS
    run_in_virtual_time(run, backend=backend, grace=grace)


@asynccontextmanager
async def open_hub(
    url: str, games: Mapping[str, hubbub.Game] | None, settings: hubbub.Settings
) -> AsyncIterator[hubbub.Hubbub]:
    """Open a hub whose clock is the event loop's, and whose chance is the same each time."""
    seeded = msgspec.structs.replace(settings, clock=VirtualClock(), random=Random(1))
    async with hubbub.open(url, settings=seeded, games=games) as hub:
        yield hub


@asynccontextmanager
async def match_of_two(
    hub: hubbub.Hubbub, *players: str, **arguments: Any
) -> AsyncIterator[tuple[hubbub.Match, hubbub.Session, hubbub.Session]]:
    """Connect two, by default ann and bob, and start a match of theirs."""
    async with AsyncExitStack() as stack:
        one, other = players or ("ann", "bob")
        first = await stack.enter_async_context(hub.session(one))
        second = await stack.enter_async_context(hub.session(other))
        match = await first.games.start_match([one, other], **arguments)
        await moment()
        yield match, first, second


class Send(Protocol):
    """Sends a message, and does not wait until the game has read it."""

    async def __call__(
        self, player: hubbub.Session, match: hubbub.Match, body: dict[str, Any], **more: Any
    ) -> list[hubbub.HubbubError | None]:
        """
        Send a message, and raise what refuses it at once.

        Returns:
            The sender's result, as soon as there is one.
        """
        ...


@asynccontextmanager
async def senders() -> AsyncIterator[Send]:
    """Let players send what the game does not read at once."""

    async def send(
        player: hubbub.Session, match: hubbub.Match, body: dict[str, Any], **more: Any
    ) -> list[hubbub.HubbubError | None]:
        outcomes = list[hubbub.HubbubError | None]()

        async def sending() -> None:
            try:
                await player.games.message(match.id, body, **more)
            except hubbub.HubbubError as error:
                outcomes.append(error)
            else:
                outcomes.append(None)

        tasks.start_soon(sending)
        await moment()
        if outcomes and outcomes[0] is not None:
            raise outcomes[0]
        return outcomes

    async with anyio.create_task_group() as tasks:
        yield send
        tasks.cancel_scope.cancel()


async def moment() -> None:
    """Let everything happen that can happen now."""
    await anyio.sleep(0.0001)


async def what(hub: hubbub.Hubbub, stream: str) -> list[tuple[float, str]]:
    """Tell what has happened in a stream, and when, in seconds."""
    async with hub.session("witness") as witness:
        events = await witness.read(stream, limit=500)
    return [(seconds(event.at), type(event.data).__name__) for event in events]


def seconds(at: datetime) -> float:
    """Return a time in seconds since the story began."""
    return round((at - EPOCH).total_seconds(), 3)


async def told(hub: hubbub.Hubbub, stream: str) -> list[dict[str, Any]]:
    """Tell what a match's game has said so far."""
    async with hub.session("witness") as witness:
        events = await witness.read(stream, limit=500)
    return [event.data.body for event in events if hasattr(event.data, "body")]
