"""The works of a cluster's users, each with books that are checked at the end."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from random import Random
from typing import Protocol, TypeVar

import anyio

import hubbub
from hubbub.client.remote import RemoteSession
from hubbub.errors import Closed, Overloaded, RateLimited, StorageError
from hubbub.journal.event import Event

__all__ = ["PAUSE_SECONDS", "Round", "Work", "again", "connected", "events_of", "following"]

NOT_NOW = (Overloaded, StorageError, RateLimited)
AGAIN = (*NOT_NOW, Closed)
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
) -> AsyncIterator[RemoteSession]:
    """Connect, as soon as the cluster accepts it."""
    async with AsyncExitStack() as stack:

        async def connect() -> RemoteSession:
            session = hubbub.connect(url, nickname=nickname, token=token)
            return await stack.enter_async_context(session)

        yield await again(connect)


@asynccontextmanager
async def following(session: hubbub.Session, stream: str) -> AsyncIterator[AsyncIterator[Event]]:
    """Follow a stream from its beginning, as soon as the cluster accepts it."""
    async with AsyncExitStack() as stack:

        async def follow() -> AsyncIterator[Event]:
            return await stack.enter_async_context(session.follow(stream, after=0))

        yield await again(follow, NOT_NOW)


async def again(call: Callable[[], Awaitable[T]], errors: tuple[type[Exception], ...] = AGAIN) -> T:
    """Do something with a key until it is done."""
    while True:
        try:
            return await call()
        except errors:
            await anyio.sleep(PAUSE_SECONDS)


async def events_of(reader: hubbub.Session, stream: str) -> list[Event]:
    """Read a whole stream."""
    found = list[Event]()
    while page := await reader.read(stream, after=len(found), limit=PAGE):
        found += page
    return found
