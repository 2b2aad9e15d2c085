"""A whole Hubbub in one process: a server that crashes, a network, and users with sessions."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from random import Random

import anyio
import msgspec

from ..client import session_over
from ..errors import Closed, StorageError
from ..feature import Feature
from ..feature_set import FeatureSet
from ..journal.event import Streams
from ..journal.verify import verify
from ..opening import open_hub
from ..server.app import create_app
from ..server.auth.tokens import Identity
from ..server.gateway import Gateway
from ..settings import Settings
from ..testing.simulation import Host, Network
from .client import Client
from .dialing import PORT, SERVER, dial_over
from .jumping_clock import JumpingClock
from .machine import Machine
from .plan import PlannedFault
from .provider import FlakyProvider
from .stream_server import StreamServer
from .workload import Evidence, Workload

__all__ = ["Broken", "Result", "World"]

# How long everything may take to be right again after the last fault, in seconds.
SETTLE_SECONDS_MAX = 600.0
LOOK_SECONDS = 5.0
# How long a client waits before it tries to sign in again, in seconds.
SIGN_IN_AGAIN_SECONDS = 2.0
# Broken promises that a failure names.
NAMED_MAX = 10
ADMIN = "root"
# The client with the role of an admin, who refunds orders.
ADMIN_CLIENT = "u0"


class Broken(AssertionError):
    """Promises that a run has broken."""


class Result(msgspec.Struct, frozen=True):
    """
    What happened in a run.

    Args:
        events: the events in the journal.
        commits: the transactions that were committed.
        calls: the calls of the clients.
        refused: how many of them were refused or failed.
        faults: each kind of fault -> how often it happened.
        lives: how often the server was started.
        connections: how many connections there were.
        cuts: how many of them were cut.
        megabytes: what went over the network.
    """

    events: int
    commits: int
    calls: int
    refused: int
    faults: dict[str, int]
    lives: int
    connections: int
    cuts: int
    megabytes: float


class World:
    """
    One run.

    Args:
        seed: draws everything.
        seconds: how long faults and users go on.
        clients: how many users there are.
        plan: what goes wrong.
        happen: lets a fault happen, and end.
        workloads: what users do.
        action_seconds: how long, on average, from one thing that a user does to the next.
        features: of the hub.
        provider: takes the payments.
    """

    def __init__(  # noqa: PLR0913
        self,
        seed: int,
        seconds: float,
        clients: int,
        plan: Sequence[PlannedFault],
        happen: Callable[[PlannedFault, World], Awaitable[None]],
        workloads: Sequence[Workload],
        action_seconds: float,
        features: Sequence[Feature],
        provider: FlakyProvider,
    ) -> None:
        self.seed = seed
        self.seconds = seconds
        self.network = Network(self._random("network"), connect_timeout=20.0)
        self.machine = Machine(self._random("machine"))
        self.provider = provider
        self.clock = JumpingClock()
        self.server = Host(SERVER, self.network, self.machine)
        self.clients: list[Client] = []
        self.happened: dict[str, int] = {}
        self.crashes: list[float] = []
        self._count = clients
        self._plan = plan
        self._happen = happen
        self._workloads = workloads
        self._action_seconds = action_seconds
        self._features = features
        self._prepared = anyio.Event()
        # Set when the users do nothing new any more.
        self._quiet = False
        self._restarts = 0

    async def run(self) -> Result:
        """
        Let time pass, then let everything settle, and check what was promised.

        Raises:
            Broken: a promise is broken.
            Stuck: a call was not answered.
        """
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self.server.run, self._serve)
            await self._prepared.wait()
            for number in range(self._count):
                tasks.start_soon(self._live, number)
            async with anyio.create_task_group() as faults:
                began = anyio.current_time()
                for fault in self._plan:
                    await anyio.sleep_until(began + fault.at)
                    faults.start_soon(self._carry_out, fault)
                await anyio.sleep_until(began + self.seconds)
            await self._settle()
            tasks.cancel_scope.cancel()
        self._check()
        return self._result()

    def host_of(self, client: int) -> str:
        """Return the address of a client."""
        return f"10.2.{client // 250}.{client % 250 + 1}"

    async def crash(self, seconds: float, *, silently: bool = False) -> None:
        """Crash the server, and start it again."""
        self.crashes.append(anyio.current_time())
        self.server.crash(silently=silently)
        await anyio.sleep(seconds)
        if not self.server.is_up:
            self.server.restart()

    def _random(self, what: str) -> Random:
        return Random(f"{what} {self.seed}")

    async def _carry_out(self, fault: PlannedFault) -> None:
        self.happened[fault.kind] = self.happened.get(fault.kind, 0) + 1
        await self._happen(fault, self)

    async def _serve(self, host: Host) -> None:
        settings = Settings(
            clock=self.clock,
            random=self._random(f"life {host.lives}"),
            secret="s" * 32,
            connections_per_address_max=10_000,
        )
        hub = open_hub(
            store=self.machine.open,
            settings=settings,
            features=self._features,
            payments=self.provider,
        )
        async with hub:
            if not self._prepared.is_set():
                async with hub.session(ADMIN, role="admin") as admin:
                    for workload in self._workloads:
                        await workload.prepare(admin)
                self._prepared.set()
            gateway = Gateway(hub, _who, watch_signals=False)
            app = create_app(hub, gateway=gateway, page=False)
            await StreamServer(app, gateway).serve(host.listen(PORT))

    async def _live(self, number: int) -> None:
        random = self._random(f"client {number}")
        host = self.host_of(number)
        dial = dial_over(self.network, host, self._random(f"dial {number}"))
        client: Client | None = None
        while True:
            try:
                session = session_over(
                    dial,
                    where=SERVER,
                    token=f"u{number}",
                    random=self._random(f"session {number} {anyio.current_time()}"),
                    clock=self.clock,
                    features=self._features,
                )
                async with session as signed_in:
                    if client is None:
                        client = Client(number, host, random, signed_in)
                        self.clients.append(client)
                    client.session = signed_in
                    await self._use(client)
                await anyio.sleep(client.come_back())
            except (Closed, StorageError):
                await anyio.sleep(SIGN_IN_AGAIN_SECONDS)

    async def _use(self, client: Client) -> None:
        for workload in self._workloads:
            await self._until_done(workload, client)
        async with anyio.create_task_group() as tasks:
            for workload in self._workloads:
                tasks.start_soon(workload.follow, client)
            while not client.away_seconds:
                await anyio.sleep(client.random.expovariate(1 / self._action_seconds))
                if not self._quiet:
                    await client.random.choice(self._workloads).act(client)
            tasks.cancel_scope.cancel()

    async def _until_done(self, workload: Workload, client: Client) -> None:
        while True:
            try:
                await workload.begin(client)
            except StorageError:
                await anyio.sleep(SIGN_IN_AGAIN_SECONDS)
            else:
                return

    async def _settle(self) -> None:
        self._quiet = True
        self.network.heal()
        if not self.server.is_up:
            self.server.restart()
        deadline = anyio.current_time() + SETTLE_SECONDS_MAX
        while missing := self._missing():
            if anyio.current_time() > deadline:
                raise Broken(f"After {SETTLE_SECONDS_MAX:.0f} quiet seconds: {_named(missing)}")
            await anyio.sleep(LOOK_SECONDS)

    def _missing(self) -> list[str]:
        evidence = self._evidence()
        return [line for workload in self._workloads for line in workload.missing(evidence)]

    def _check(self) -> None:
        evidence = self._evidence()
        broken = [line for workload in self._workloads for line in workload.broken(evidence)]
        report = verify(self.machine.store, Streams(FeatureSet(self._features).streams))
        broken += [f"{fault.where}: {fault.what}" for fault in report.faults]
        if broken:
            raise Broken(_named(broken))

    def _evidence(self) -> Evidence:
        store = self.machine.store
        placed = store.committed(0, store.last_place())
        order = [msgspec.json.decode(event.body) for event in placed]
        streams: dict[str, list[dict[str, object]]] = {}
        for event in order:
            streams.setdefault(event["stream"], []).append(event)
        return Evidence(streams, order, self.crashes)

    def _result(self) -> Result:
        stats = self.network.stats
        return Result(
            events=self.machine.store.last_place(),
            commits=self.machine.commits,
            calls=sum(client.calls for client in self.clients),
            refused=sum(client.refused for client in self.clients),
            faults=self.happened,
            lives=self.server.lives,
            connections=stats.connections,
            cuts=stats.cuts,
            megabytes=round(stats.bytes_received / 1e6, 2),
        )


async def _who(token: str) -> Identity | None:
    role = "admin" if token == ADMIN_CLIENT else "user"
    return Identity(token, role, nickname=token.title())


def _named(lines: Sequence[str]) -> str:
    more = "" if len(lines) <= NAMED_MAX else f"\n… and {len(lines) - NAMED_MAX} more"
    return "\n".join(lines[:NAMED_MAX]) + more
