"""A whole Hubbub in one process: a server that crashes, a network, and users with sessions."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from random import Random

import anyio
import msgspec
from anyio.abc import TaskStatus

from ..client import session_over
from ..client.dial import Dial
from ..errors import Closed, StorageError
from ..feature import Feature
from ..feature_set import FeatureSet
from ..journal.event import Streams
from ..journal.verify import verify
from ..opening import open_hub
from ..server.app import create_app
from ..server.auth.tokens import Identity
from ..server.gateway import Gateway
from ..session import Session
from ..settings import Settings
from ..testing.simulation import Host, Network, waiting_places
from ..testing.simulation.threads import outside_of_event_loop
from .client import ADMIN_NUMBER, Client
from .dialing import PORT, SERVER, dial_over
from .feed_reader import FeedReader
from .jumping_clock import JumpingClock
from .leftovers import leftovers
from .machine import Machine
from .plan import PlannedFault
from .provider import FlakyProvider
from .stream_server import StreamServer
from .workload import Evidence, Watching, Workload

__all__ = ["Broken", "Result", "World"]

# How long everything may take to be right again after the last fault, in seconds.
SETTLE_SECONDS_MAX = 600.0
LOOK_SECONDS = 5.0
# How long a server that stops waits for its clients to close, in seconds.
STOP_SECONDS = 1.0
# How long it takes until a server that could not open its store tries again, in seconds.
OPEN_AGAIN_SECONDS = 1.0
# After this time a server without users has forgotten them, in seconds.
GONE_SECONDS = 120.0
# How long a client waits before it tries to sign in again, in seconds.
SIGN_IN_AGAIN_SECONDS = 2.0
# Broken promises that a failure names.
NAMED_MAX = 10
ADMIN = "root"


class Broken(AssertionError):
    """Promises that a run has broken."""


class Result(msgspec.Struct, frozen=True):
    """
    The figures of a run.

    Args:
        events: the events in the journal.
        calls: the calls of the clients.
        refused: how many of them were refused or failed.
        faults: each kind of fault -> how often it happened.
        lives: how often the server was started.
        connections: how many connections there were.
        cuts: how many of them were cut.
        megabytes: what went over the network.
    """

    events: int
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
        machine: the server's.
        seconds: how long users act and faults happen.
        clients: how many users there are.
        plan: what goes wrong.
        happen: lets a fault happen, and end.
        workloads: what users do.
        action_seconds: how long, on average, from one thing that a user does to the next.
        features: of the hub.
        provider: takes the payments.
        in_process: whether users have sessions in the server's process, and need no network.
    """

    def __init__(  # noqa: PLR0913
        self,
        seed: int,
        machine: Machine,
        seconds: float,
        clients: int,
        plan: Sequence[PlannedFault],
        happen: Callable[[PlannedFault, World], Awaitable[None]],
        workloads: Sequence[Workload],
        action_seconds: float,
        features: Sequence[Feature],
        provider: FlakyProvider,
        *,
        in_process: bool,
    ) -> None:
        self.seed = seed
        self.seconds = seconds
        self.network = Network(self._random("network"), connect_timeout=20.0)
        self.machine = machine
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
        self._in_process = in_process
        self._feed_reader = FeedReader()
        self._watching: Sequence[Watching] = (*workloads, self._feed_reader)
        self._prepared = anyio.Event()
        self._lives = 0
        # Set when the users do nothing new any more.
        self._quiet = False
        # Cancelled, the server stops in order, and starts again after a pause.
        self._serving = anyio.CancelScope()
        self._pause = 0.0
        self._gateway: Gateway | None = None

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
            await anyio.sleep(GONE_SECONDS)
            # With the first connection, the gateway begins to ping.
            idle = len(anyio.get_running_tasks()) + 1
            users = await tasks.start(self._live_all)
            async with anyio.create_task_group() as faults:
                began = anyio.current_time()
                for fault in self._plan:
                    await anyio.sleep_until(began + fault.at)
                    faults.start_soon(self._carry_out, fault)
                await anyio.sleep_until(began + self.seconds)
            await self._settle()
            self._check()
            users.cancel()
            await anyio.sleep(GONE_SECONDS)
            self._check_leftovers(idle)
            result = self._result()
            tasks.cancel_scope.cancel()
        return result

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

    async def restart(self, seconds: float) -> None:
        """Stop the server in order, as a signal does, and start it again."""
        gateway, self._pause = self._gateway, seconds
        if gateway is None:
            return
        self.crashes.append(anyio.current_time())
        try:
            await gateway.hub.drain()
        except Closed:
            # It crashes in the meantime.
            return
        if gateway is self._gateway:
            gateway.stop()
            await anyio.sleep(STOP_SECONDS)
            self._serving.cancel()

    def _random(self, what: str) -> Random:
        return Random(f"{what} {self.seed}")

    async def _carry_out(self, fault: PlannedFault) -> None:
        self.happened[fault.kind] = self.happened.get(fault.kind, 0) + 1
        await self._happen(fault, self)

    async def _serve(self, host: Host) -> None:
        while True:
            try:
                with anyio.CancelScope() as self._serving:
                    await self._serve_once(host)
            except StorageError:
                # The disk fails; whatever starts the server tries again.
                self._pause = OPEN_AGAIN_SECONDS
            finally:
                self._gateway = None
            await anyio.sleep(self._pause)

    async def _serve_once(self, host: Host) -> None:
        self._lives += 1
        settings = Settings(
            clock=self.clock,
            random=self._random(f"life {self._lives}"),
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
            self._gateway = gateway = Gateway(hub, _who, watch_signals=False)
            app = create_app(hub, gateway=gateway, page=False)
            server = StreamServer(app, gateway)
            async with host.listen(PORT) as listener, anyio.create_task_group() as tasks:
                tasks.start_soon(self._feed_reader.read, hub)
                await server.serve(listener)

    async def _live_all(
        self, *, task_status: TaskStatus[anyio.CancelScope] = anyio.TASK_STATUS_IGNORED
    ) -> None:
        async with anyio.create_task_group() as tasks:
            for number in range(self._count):
                tasks.start_soon(self._live, number)
            task_status.started(tasks.cancel_scope)

    async def _live(self, number: int) -> None:
        random = self._random(f"client {number}")
        host = self.host_of(number)
        dial = dial_over(self.network, host, self._random(f"dial {number}"))
        client: Client | None = None
        while True:
            try:
                async with self._session(number, dial) as session:
                    if client is None:
                        client = Client(number, host, random, session)
                        self.clients.append(client)
                    client.session = session
                    await self._use(client)
                await anyio.sleep(client.come_back())
            except (Closed, StorageError):
                await anyio.sleep(SIGN_IN_AGAIN_SECONDS)

    def _session(self, number: int, dial: Dial) -> AbstractAsyncContextManager[Session]:
        user = f"u{number}"
        if self._in_process:
            if self._gateway is None:
                raise Closed("The server is not up.")
            return self._gateway.hub.session(user, role=_role_of(user))
        return session_over(
            dial,
            where=SERVER,
            token=user,
            random=self._random(f"session {number} {anyio.current_time()}"),
            clock=self.clock,
            features=self._features,
        )

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
        deadline = anyio.current_time() + SETTLE_SECONDS_MAX
        while self._gateway is None or (missing := self._missing()):
            if anyio.current_time() > deadline:
                lines = ["The server is not up."] if self._gateway is None else missing
                raise Broken(f"After {SETTLE_SECONDS_MAX:.0f} quiet seconds: {_named(lines)}")
            await anyio.sleep(LOOK_SECONDS)

    def _missing(self) -> list[str]:
        evidence = self._evidence()
        return [line for one in self._watching for line in one.missing(evidence)]

    def _check(self) -> None:
        evidence = self._evidence()
        broken = [line for one in self._watching for line in one.broken(evidence)]
        with outside_of_event_loop():
            report = verify(self.machine.look(), Streams(FeatureSet(self._features).streams))
        broken += [f"{fault.where}: {fault.what}" for fault in report.faults]
        if broken:
            raise Broken(_named(broken))

    def _check_leftovers(self, idle: int) -> None:
        if self._gateway is None:
            raise Broken("The server is not up.")
        broken = list(leftovers(self._gateway))
        if (tasks := len(anyio.get_running_tasks())) > idle:
            places = "\n".join(waiting_places())
            broken.append(f"There were {idle} tasks without users, and {tasks} are left:\n{places}")
        if broken:
            raise Broken(_named(broken))

    def _evidence(self) -> Evidence:
        with outside_of_event_loop():
            store = self.machine.look()
            placed = store.committed(0, store.last_place())
        order = [msgspec.json.decode(event.body) for event in placed]
        streams: dict[str, list[dict[str, object]]] = {}
        for event in order:
            streams.setdefault(event["stream"], []).append(event)
        return Evidence(streams, order, self.crashes)

    def _result(self) -> Result:
        stats = self.network.stats
        with outside_of_event_loop():
            events = self.machine.look().last_place()
        return Result(
            events=events,
            calls=sum(client.calls for client in self.clients),
            refused=sum(client.refused for client in self.clients),
            faults=self.happened,
            lives=self._lives,
            connections=stats.connections,
            cuts=stats.cuts,
            megabytes=round(stats.bytes_received / 1e6, 2),
        )


async def _who(token: str) -> Identity | None:
    return Identity(token, _role_of(token), nickname=token.title())


def _role_of(user: str) -> str:
    return "admin" if user == f"u{ADMIN_NUMBER}" else "user"


def _named(lines: Sequence[str]) -> str:
    more = "" if len(lines) <= NAMED_MAX else f"\n… and {len(lines) - NAMED_MAX} more"
    return "\n".join(lines[:NAMED_MAX]) + more
