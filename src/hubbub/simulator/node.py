"""A simulated server, alone or a node of a cluster: it crashes, stops, and starts again."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from random import Random

import anyio

from ..errors import Closed, StorageError
from ..feature import Feature
from ..features import Options
from ..hub import Hubbub
from ..journal.cluster.bus import Bus
from ..opening import open_hub
from ..server.app import create_app
from ..server.auth.tokens import Identity
from ..server.gateway import Gateway
from ..settings import Settings
from ..testing.simulation import Host, Network
from .client import ADMIN_NUMBER
from .dialing import PORT, server_address
from .feed_reader import FeedReader
from .jumping_clock import JumpingClock
from .machine import Machine
from .sign_in_calls import VISITOR
from .stream_server import StreamServer

__all__ = ["Node", "role_of"]

# How long a server that stops waits for its clients to close, in seconds.
STOP_SECONDS = 1.0
# How long it takes until a server that could not open its store tries again, in seconds.
OPEN_AGAIN_SECONDS = 1.0


class Node:
    """
    One server.

    Args:
        number: from 0.
        where: what sentences say of it, like ``on node 1``; empty if it is alone.
        seed: draws its chances.
        network: where it listens.
        machine: what it runs on.
        clock: of the machine.
        bus: its connection to the bus, if it is a node of a cluster.
        features: of its hub.
        options: of its hub.
        prepare: called with each hub before it serves.

    Attributes:
        gateway: of its newest life; None while it is not up.
        lives: how often it was started.
        crashes: when its lives ended, in seconds from the beginning.
    """

    def __init__(  # noqa: PLR0913
        self,
        number: int,
        where: str,
        seed: int,
        network: Network,
        machine: Machine,
        clock: JumpingClock,
        bus: Bus | None,
        features: Sequence[Feature],
        options: Options,
        prepare: Callable[[Hubbub], Awaitable[None]],
    ) -> None:
        self.address = server_address(number)
        self.where = where
        self.machine = machine
        self.clock = clock
        self.host = Host(self.address, network, machine)
        self.feed_reader = FeedReader(where)
        self.gateway: Gateway | None = None
        self.lives = 0
        self.crashes: list[float] = []
        self._seed = f"{number}/{seed}" if where else f"{seed}"
        self._bus = bus
        self._features = features
        self._options = options
        self._prepare = prepare
        # Cancelled, the server stops in order, and starts again after a pause.
        self._serving = anyio.CancelScope()
        self._pause = 0.0

    async def run(self) -> None:
        """Serve, from life to life, until cancelled."""
        await self.host.run(self._serve)

    async def crash(self, seconds: float, *, silently: bool = False) -> None:
        """Crash, and start again."""
        self.crashes.append(anyio.current_time())
        self.host.crash(silently=silently)
        await anyio.sleep(seconds)
        if not self.host.is_up:
            self.host.restart()

    async def restart(self, seconds: float) -> None:
        """Stop in order, as a signal does, and start again."""
        gateway, self._pause = self.gateway, seconds
        if gateway is None:
            return
        self.crashes.append(anyio.current_time())
        try:
            await gateway.hub.drain()
        except Closed:
            # It crashes in the meantime.
            return
        if gateway is self.gateway:
            gateway.stop()
            await anyio.sleep(STOP_SECONDS)
            self._serving.cancel()

    async def _serve(self, host: Host) -> None:
        while True:
            try:
                with anyio.CancelScope() as self._serving:
                    await self._serve_once(host)
            except StorageError:
                # The disk fails; whatever starts the server tries again.
                self._pause = OPEN_AGAIN_SECONDS
            await anyio.sleep(self._pause)

    async def _serve_once(self, host: Host) -> None:
        self.lives += 1
        settings = Settings(
            clock=self.clock,
            random=Random(f"life {self.lives} {self._seed}"),
            secret="s" * 32,
            connections_per_address_max=10_000,
        )
        hub = open_hub(
            store=self.machine.open,
            bus=self._bus,
            settings=settings,
            features=self._features,
            **self._options,
        )
        async with hub:
            await self._prepare(hub)
            self.gateway = gateway = Gateway(hub, partial(_who, hub), watch_signals=False)
            app = create_app(hub, gateway=gateway, page=False)
            server = StreamServer(app, gateway)
            try:
                async with host.listen(PORT) as listener, anyio.create_task_group() as tasks:
                    tasks.start_soon(self.feed_reader.read, hub)
                    await server.serve(listener)
            finally:
                # A life that dies slowly may see the next life begin.
                if self.gateway is gateway:
                    self.gateway = None


def role_of(user: str) -> str:
    """Return the role of a user."""
    return "admin" if user == f"u{ADMIN_NUMBER}" else "user"


async def _who(hub: Hubbub, token: str) -> Identity | None:
    if token.startswith(VISITOR):
        # As after the right password: a sign-in of its own, each time.
        now = hub.journal.clock.now().timestamp()
        session = hub.ids.new()
        return Identity(token.removeprefix(VISITOR), session=session, issued=now, fresh=True)
    return Identity(token, role_of(token), nickname=token.title())
