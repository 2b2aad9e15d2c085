"""Shops in virtual time, with a bank of their own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from random import Random
from typing import Any, Literal, Protocol

import anyio
import msgspec

import hubbub
from hubbub import Hubbub, Money, Session, Settings
from hubbub.testing import VirtualClock, run_in_virtual_time

__all__ = ["Sell", "Story", "product", "sell_in_virtual_time", "shop", "usd"]

Story = Callable[[Hubbub, Session], Awaitable[None]]
SETTINGS = Settings()
# Real seconds that a database, which virtual time cannot see, may take.
DISK_SECONDS = 0.03
# When a hub is opened again, in seconds since the story began.
LATER = 10_000.0
STOCK = 10


class Sell(Protocol):
    """Opens a shop in virtual time, and lets a story happen in it."""

    def __call__(
        self,
        story: Story,
        *,
        settings: Settings = ...,
        url: str = ...,
        later: Story | None = ...,
        **selling: Any,
    ) -> None: ...


def sell_in_virtual_time(
    backend: Literal["asyncio", "trio"],
    story: Story,
    *,
    settings: Settings = SETTINGS,
    url: str = "memory://",
    later: Story | None = None,
    **selling: Any,
) -> None:
    """
    Open a shop in virtual time with two pens in ann's cart, and run a story.

    Args:
        backend: the event loop.
        story: what happens.
        settings: the hub's; its clock is replaced.
        url: where the hub keeps it.
        later: what happens after the hub was left, and opened again.
        selling: ``prices``, ``tax`` and ``payments`` of the hub.
    """

    async def run() -> None:
        async with shop(url, settings, **selling) as hub:
            async with hub.session("root", role="admin") as root:
                await root.shop.set_product("pen", "Pen", usd("5.00"), stock=STOCK)
            async with hub.session("ann") as ann:
                await ann.shop.add_item("pen", 2)
                await story(hub, ann)
        if later is not None:
            await anyio.sleep_until(LATER)
            async with shop(url, settings, **selling) as hub, hub.session("ann") as ann:
                await later(hub, ann)

    grace = 0.0 if url == "memory://" else DISK_SECONDS
    run_in_virtual_time(run, backend=backend, grace=grace)


@asynccontextmanager
async def shop(url: str, settings: Settings, **selling: Any) -> AsyncIterator[Hubbub]:
    """Open a hub whose clock is the event loop's, and whose chance is the same each time."""
    seeded = msgspec.structs.replace(settings, clock=VirtualClock(), random=Random(1))
    async with hubbub.open(url, settings=seeded, **selling) as hub:
        yield hub


async def product(session: Session) -> hubbub.Product:
    return await session.shop.product("pen")


def usd(amount: str) -> Money:
    return Money(amount, "USD")
