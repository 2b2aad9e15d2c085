"""Where sessions are tested: in the process on each store, and over sockets."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Literal, Protocol, Self

import anyio
import msgspec
from argon2 import PasswordHasher
from starlette.applications import Starlette
from starlette.routing import Mount

import hubbub
from hubbub.journal.cluster.memory_bus import MemoryBus
from hubbub.journal.stores.postgres.holding import PostgresHold
from hubbub.journal.stores.postgres.store import PostgresStore
from hubbub.server import Gateway, create_app
from hubbub.server.run import listen
from hubbub.stores import Batch, MemoryStore, News, SQLiteStore, Stale, Store, Wanted
from tests.server.serving import serve
from tests.session.foreign import foreign_server

__all__ = ["KINDS", "Kind", "OpenWorld", "SetClock", "World", "heard", "open_world", "until"]

# In the process on each store; our own server; somebody's application that we are mounted in; two
# nodes that share a store, each with every other session; and in the process on a store on which
# another writer is first, once for every commit.
Kind = Literal["memory", "sqlite", "remote", "mounted", "nodes", "postgres", "contended"]
KINDS: tuple[Kind, ...] = ("memory", "sqlite", "remote", "mounted")

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
PREFIX = "/live"
PATIENCE = 5.0


class SetClock:
    """A clock that stands until it is set."""

    def __init__(self) -> None:
        self.passed = 0.0

    def now(self) -> datetime:
        return NOON + timedelta(seconds=self.passed)

    def monotonic(self) -> float:
        return self.passed


class ContendedStore(MemoryStore):
    """Refuses every batch once, as if another writer had been first."""

    refused = 0
    _refuse = True

    def commit(self, batch: Batch) -> None:
        refused, self._refuse = self._refuse, not self._refuse
        if refused:
            self.refused += 1
            raise Stale
        super().commit(batch)


class World:
    """
    One hub, and a way to it.

    Args:
        clock: the hub's.
        features: what the hub has, and clients know.
    """

    def __init__(self, clock: SetClock, features: Sequence[hubbub.Feature]) -> None:
        self.clock = clock
        self.features = features
        self.hub: hubbub.Hubbub
        # The other nodes of the cluster.
        self.others: list[hubbub.Hubbub] = []
        self._visits = 0
        self.address: str | None = None
        self.gateway: Gateway | None = None
        self._stack = AsyncExitStack()

    def visit(
        self, nickname: str, *, role: str = "user", guest: hubbub.Session | None = None
    ) -> AbstractAsyncContextManager[hubbub.Session]:
        """Connect somebody new, until the context is left."""
        user, was = self.hub.ids.new(), None if guest is None else guest.user.id
        if self.gateway is None or self.address is None:
            return self._next_hub().session(user, nickname=nickname, role=role, guest=was)
        # A guest gets his id from the server; who has another role comes with a token.
        token = None if role == "user" else self.gateway.tokens.sign(user, role)
        before = None if was is None else self.gateway.tokens.sign(was, "user")
        return hubbub.connect(
            self.address, token=token, nickname=nickname, guest=before, features=self.features
        )

    def _next_hub(self) -> hubbub.Hubbub:
        self._visits += 1
        return [self.hub, *self.others][self._visits % (1 + len(self.others))]

    async def session(self, nickname: str, *, role: str = "user") -> hubbub.Session:
        """Connect somebody new, until the world ends."""
        session = await self._stack.enter_async_context(self.visit(nickname, role=role))
        await until(partial(self._is_known, session.user.id))
        return session

    async def _is_known(self, user: str) -> bool:
        # The nodes tell one another who is there.
        return all(hub.is_connected(user) for hub in (self.hub, *self.others))

    async def sessions(self, *nicknames: str) -> list[hubbub.Session]:
        """Connect several."""
        return [await self.session(nickname) for nickname in nicknames]

    async def __aenter__(self) -> Self:
        await self._stack.__aenter__()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._stack.aclose()


async def until(happened: Callable[[], Awaitable[bool]]) -> None:
    """Ask again until what a server notices by itself has happened."""
    with anyio.fail_after(PATIENCE):
        while not await happened():
            await anyio.lowlevel.checkpoint()


async def heard(signals: AsyncIterator[hubbub.Signal], wanted: str) -> hubbub.Signal:
    """
    Wait for a signal of a type, or for a user's status.

    News that a user is online may come in between: on another node they may come late.
    """
    with anyio.fail_after(PATIENCE):
        async for signal in signals:
            if wanted in (signal.type, (signal.body or {}).get("status")):
                return signal
    raise AssertionError(f"{wanted} was not heard")


class OpenWorld(Protocol):
    """Opens a world of the kind that a test is run for."""

    def __call__(
        self,
        settings: hubbub.Settings = ...,
        *,
        games: Mapping[str, hubbub.Game] | None = ...,
        prices: hubbub.PriceSource | None = ...,
        tax: hubbub.TaxPolicy | None = ...,
        payments: hubbub.PaymentProvider | None = ...,
        features: Sequence[hubbub.Feature] = ...,
    ) -> AbstractAsyncContextManager[World]: ...


class TimedPostgres(PostgresStore):
    """A PostgreSQL store whose clock stands until it is set."""

    def __init__(self, url: str, clock: SetClock) -> None:
        super().__init__(url)
        self._clock = clock

    def hold(self, wanted: Wanted) -> PostgresHold:
        hold = super().hold(wanted)
        hold.news = msgspec.structs.replace(hold.news, at=self._clock.now())
        return hold

    def news(self, wanted: Wanted) -> News:
        return msgspec.structs.replace(super().news(wanted), at=self._clock.now())


CLUSTERS: tuple[Kind, ...] = ("nodes", "postgres")
SETTINGS = hubbub.Settings(message_limit=100_000)


@asynccontextmanager
async def open_world(
    kind: Kind,
    path: Path | str,
    settings: hubbub.Settings = SETTINGS,
    *,
    games: Mapping[str, hubbub.Game] | None = None,
    prices: hubbub.PriceSource | None = None,
    tax: hubbub.TaxPolicy | None = None,
    payments: hubbub.PaymentProvider | None = None,
    features: Sequence[hubbub.Feature] = hubbub.FEATURES,
    database: str = "",
) -> AsyncIterator[World]:
    """
    Open a world.

    Args:
        kind: which.
        path: the path or the URL of a database, for stores that need one.
        settings: of the hub; its clock stands still.
        games: what can be played at the hub.
        prices, tax, payments: how its shop sells.
        features: what the hub has, and clients know.
        database: the URL of a PostgreSQL database.
    """
    clock = SetClock()
    # The clock stands, so the requests of a connection are all in one second.
    settings = msgspec.structs.replace(settings, clock=clock, requests_per_second=100_000.0)
    open_store = new_store(kind, path, clock, database)
    bus = MemoryBus() if kind in CLUSTERS else None
    async with AsyncExitStack() as stack:
        world = World(clock, features)
        enter = stack.enter_async_context
        hubs = [
            hubbub.open(
                store=open_store,
                bus=bus,
                settings=settings,
                features=features,
                games=games,
                prices=prices,
                tax=tax,
                payments=payments,
            )
            for _ in range(2 if bus else 1)
        ]
        for hub in hubs:
            # The clock stands, so only ids of one series are in the order in which they were made.
            hub.ids = hubs[0].ids
            await enter(hub)
        world.hub, *world.others = hubs
        for hub in hubs[:-1]:
            # It would find out about those that came after it within a second.
            await hub.journal.nodes.beat()
        # What a hash costs is tested with the accounts; here it would only take time.
        for hub in hubs:
            hub.accounts.hashing.hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
        if kind == "remote":
            world.gateway = Gateway(world.hub)
            world.address = await enter(own_server(world.gateway))
        elif kind == "mounted":
            world.gateway = Gateway(world.hub)
            ours = create_app(world.hub, gateway=world.gateway)
            theirs = Starlette(routes=[Mount(PREFIX, ours)])
            world.address = await enter(foreign_server(theirs)) + PREFIX
        yield await enter(world)


def new_store(kind: Kind, path: Path | str, clock: SetClock, database: str) -> Callable[[], Store]:
    """Return what makes the store of each hub of a world."""
    match kind:
        case "sqlite" | "remote":
            return partial(SQLiteStore, path)
        case "nodes":
            store = MemoryStore(shared=True, clock=clock)
            return lambda: store
        case "postgres":
            return lambda: TimedPostgres(database, clock)
        case "contended":
            return ContendedStore
        case "memory" | "mounted":
            return MemoryStore


@asynccontextmanager
async def own_server(gateway: Gateway) -> AsyncIterator[str]:
    """Serve a gateway as the command line does; gives the address."""
    stop = anyio.Event()
    with listen("127.0.0.1", 0) as listener:
        async with anyio.create_task_group() as tasks:
            yield await tasks.start(serve, gateway, listener, stop.wait)
            stop.set()
