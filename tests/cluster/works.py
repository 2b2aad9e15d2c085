"""What the users of a cluster do, each with books that are checked at the end."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from random import Random
from typing import Protocol, TypeVar

import anyio

import hubbub
from hubbub.errors import Closed, Overloaded, RateLimited, StorageError
from hubbub.journal.event import Event

__all__ = ["PAUSE_SECONDS", "Round", "Work", "again", "connected", "events_of"]

AGAIN = (Closed, Overloaded, StorageError, RateLimited)
PAUSE_SECONDS = 0.05
# How long users have for what they have begun, after everything is well again.
END_SECONDS_MAX = 30.0
PAGE = 500

T = TypeVar("T")


@dataclass
class Round:
    """
    One round of a cluster.

    Args:
        url: the load balancer's.
        urls: those of the nodes themselves.
        seed: what the users draw from.
        over: set when the troubles are over: users begin nothing new.
    """

    url: str
    urls: list[str]
    seed: int
    over: anyio.Event = field(default_factory=anyio.Event)

    @property
    def is_over(self) -> bool:
        """Whether users end what they have begun, and begin nothing more."""
        return self.over.is_set()

    def random(self, name: str) -> Random:
        """Return what one user draws from."""
        return Random(f"{self.seed} {name}")


class Work(Protocol):
    """Something that users do until the round is over."""

    async def run(self, round_: Round) -> None:
        """Do it, and end it."""

    async def faults(self, reader: hubbub.Session) -> list[str]:
        """Return what is wrong, once all users have ended."""

    def figures(self) -> str:
        """Return what was done and measured, in some words."""


@asynccontextmanager
async def connected(
    url: str, nickname: str, token: str | None = None
) -> AsyncIterator[hubbub.Session]:
    """Connect, as soon as the cluster accepts it."""
    async with AsyncExitStack() as stack:

        async def connect() -> hubbub.Session:
            session = hubbub.connect(url, nickname=nickname, token=token)
            return await stack.enter_async_context(session)

        yield await again(connect)


async def again(call: Callable[[], Awaitable[T]]) -> T:
    """Do something with a key until it is done."""
    while True:
        try:
            return await call()
        except AGAIN:
            await anyio.sleep(PAUSE_SECONDS)


async def events_of(reader: hubbub.Session, stream: str) -> list[Event]:
    """Read a whole stream."""
    found = list[Event]()
    while page := await reader.read(stream, after=len(found), limit=PAGE):
        found += page
    return found
