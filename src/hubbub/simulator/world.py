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
from ..games.matches.game import Game
from ..hub import Hubbub
from ..journal.event import Streams
from ..journal.verify import verify
from ..session import Session
from ..stores import Store
from ..testing.simulation import Network, waiting_places
from ..testing.simulation.threads import outside_of_event_loop
from .client import Client
from .cluster import Cluster
from .dialing import SERVER, dial_over
from .jumping_clock import JumpingClock
from .leftovers import leftovers
from .machine import Machine
from .node import Node, role_of
from .plan import PlannedFault
from .provider import FlakyProvider
from .realtime_workload import REALTIME, RealtimeWorkload
from .workload import Evidence, Watching, Workload

__all__ = ["Broken", "Result", "World"]

# How long everything may take to be right again after the last fault, in seconds.
SETTLE_SECONDS_MAX = 600.0
LOOK_SECONDS = 5.0
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
        machines: of each server.
        seconds: how long users act and faults happen.
        clients: how many users there are.
        plan: what goes wrong.
        happen: lets a fault happen, and end.
        workloads: what users do.
        action_seconds: how long, on average, from one thing that a user does to the next.
        features: of the hub.
        provider: takes the payments.
        cluster: what the servers share, if they are the nodes of a cluster.
        in_process: whether users have sessions in the server's process, and need no network.
    """

    def __init__(  # noqa: PLR0913
        self,
        seed: int,
        machines: Sequence[Machine],
        seconds: float,
        clients: int,
        plan: Sequence[PlannedFault],
        happen: Callable[[PlannedFault, World], Awaitable[None]],
        workloads: Sequence[Workload],
        action_seconds: float,
        features: Sequence[Feature],
        provider: FlakyProvider,
        cluster: Cluster | None = None,
        *,
        in_process: bool,
    ) -> None:
        self.seed = seed
        self.seconds = seconds
        self.network = Network(self._random("network"), connect_timeout=20.0)
        self.provider = provider
        self.cluster = cluster
        self.clock = JumpingClock()
        self.clients: list[Client] = []
        self.happened: dict[str, int] = {}
        self._count = clients
        self._plan = plan
        self._happen = happen
        self._workloads = workloads
        self._action_seconds = action_seconds
        self._features = features
        self._in_process = in_process
        self._prepared = anyio.Event()
        # Every search finds a match of its own, and users play several at once.
        self._games = {"default": Game(resumes=False)}
        for one in workloads:
            if isinstance(one, RealtimeWorkload):
                self._games[REALTIME] = one.game
        self.nodes = [self._new_node(number, machine) for number, machine in enumerate(machines)]
        readers = [node.feed_reader for node in self.nodes]
        self._watching: Sequence[Watching] = (*workloads, *readers)
        # Set when the users do nothing new any more.
        self._quiet = False

    async def run(self) -> Result:
        """
        Let time pass, then let everything settle, and check what was promised.

        Raises:
            Broken: a promise is broken.
            Stuck: a call was not answered.
        """
        async with anyio.create_task_group() as tasks:
            for node in self.nodes:
                tasks.start_soon(node.run)
                await self._prepared.wait()
            await anyio.sleep(GONE_SECONDS)
            # With the first connection, each gateway begins to ping.
            idle = len(anyio.get_running_tasks()) + len(self.nodes)
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

    async def crash(self, node: Node, seconds: float, *, silently: bool = False) -> None:
        """Crash a server, and start it again."""
        await node.crash(seconds, silently=silently)

    def stop(self, node: Node, seconds: float) -> None:
        """Let a node of a cluster stand still, as a process that gets no processor."""
        assert self.cluster is not None
        node.host.stand_still(seconds)
        self.cluster.lines[self.nodes.index(node)].still_until = anyio.current_time() + seconds
        for number in range(self._count):
            self.network.partition(self.host_of(number), node.address)

    def go_on(self, node: Node) -> None:
        """Let a node that stood still continue."""
        for number in range(self._count):
            self.network.heal(self.host_of(number), node.address)

    def _random(self, what: str) -> Random:
        return Random(f"{what} {self.seed}")

    def _new_node(self, number: int, machine: Machine) -> Node:
        cluster = self.cluster
        return Node(
            number,
            "" if cluster is None else f"on node {number}",
            self.seed,
            self.network,
            machine,
            # A server that is alone tells the time to everybody.
            self.clock if cluster is None else JumpingClock(),
            None if cluster is None else cluster.lines[number],
            self._features,
            {"payments": self.provider, "games": self._games},
            self._prepare,
        )

    def _look(self) -> Store:
        return self.nodes[0].machine.look()

    async def _carry_out(self, fault: PlannedFault) -> None:
        self.happened[fault.kind] = self.happened.get(fault.kind, 0) + 1
        await self._happen(fault, self)

    async def _prepare(self, hub: Hubbub) -> None:
        """Let the first hub make what the users need."""
        if self._prepared.is_set():
            return
        async with hub.session(ADMIN, role="admin") as admin:
            for workload in self._workloads:
                await workload.prepare(admin)
        self._prepared.set()

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
        dial = dial_over(self.network, host, self._random(f"dial {number}"), nodes=len(self.nodes))
        client: Client | None = None
        while True:
            try:
                async with self._session(number, dial) as session:
                    if client is None:
                        client = Client(number, host, random, session, self._dials(number))
                        self.clients.append(client)
                    client.session = session
                    await self._use(client)
                await anyio.sleep(client.come_back())
            except (Closed, StorageError):
                await anyio.sleep(SIGN_IN_AGAIN_SECONDS)

    def _dials(self, number: int) -> Sequence[Dial]:
        if self._in_process:
            return ()
        random, host = self._random(f"more dials {number}"), self.host_of(number)
        return [dial_over(self.network, host, random, node=node) for node in range(len(self.nodes))]

    def _session(self, number: int, dial: Dial) -> AbstractAsyncContextManager[Session]:
        user = f"u{number}"
        if self._in_process:
            gateways = [node.gateway for node in self.nodes if node.gateway is not None]
            if not gateways:
                raise Closed("The server is not up.")
            return gateways[number % len(gateways)].hub.session(user, role=role_of(user))
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
        while missing := [*self._down(), *self._outside(), *self._missing()]:
            if anyio.current_time() > deadline:
                raise Broken(f"After {SETTLE_SECONDS_MAX:.0f} quiet seconds: {_named(missing)}")
            await anyio.sleep(LOOK_SECONDS)

    def _down(self) -> list[str]:
        return [
            f"The server{node.where and f' {node.where}'} is not up."
            for node in self.nodes
            if node.gateway is None
        ]

    def _outside(self) -> list[str]:
        inside = {client.number for client in self.clients}
        return [
            f"u{number} has never been signed in."
            for number in range(self._count)
            if number not in inside
        ]

    def _missing(self) -> list[str]:
        evidence = self._evidence()
        return [line for one in self._watching for line in one.missing(evidence)]

    def _check(self) -> None:
        evidence = self._evidence()
        broken = [line for one in self._watching for line in one.broken(evidence)]
        with outside_of_event_loop():
            report = verify(self._look(), Streams(FeatureSet(self._features).streams))
        broken += [f"{fault.where}: {fault.what}" for fault in report.faults]
        if broken:
            raise Broken(_named(broken))

    def _check_leftovers(self, idle: int) -> None:
        broken = self._down()
        for node in self.nodes:
            if node.gateway is not None:
                broken += leftovers(node.gateway, node.where)
        if (tasks := len(anyio.get_running_tasks())) > idle:
            places = "\n".join(waiting_places())
            broken.append(f"There were {idle} tasks without users, and {tasks} are left:\n{places}")
        if broken:
            raise Broken(_named(broken))

    def _evidence(self) -> Evidence:
        with outside_of_event_loop():
            store = self._look()
            placed = store.committed(0, store.last_place())
        order = [msgspec.json.decode(event.body) for event in placed]
        streams: dict[str, list[dict[str, object]]] = {}
        for event in order:
            streams.setdefault(event["stream"], []).append(event)
        crashes = sorted(crash for node in self.nodes for crash in node.crashes)
        return Evidence(streams, order, crashes)

    def _result(self) -> Result:
        stats = self.network.stats
        with outside_of_event_loop():
            events = self._look().last_place()
        return Result(
            events=events,
            calls=sum(client.calls for client in self.clients),
            refused=sum(client.refused for client in self.clients),
            faults=self.happened,
            lives=sum(node.lives for node in self.nodes),
            connections=stats.connections,
            cuts=stats.cuts,
            megabytes=round(stats.bytes_received / 1e6, 2),
        )


def _named(lines: Sequence[str]) -> str:
    more = "" if len(lines) <= NAMED_MAX else f"\n… and {len(lines) - NAMED_MAX} more"
    return "\n".join(lines[:NAMED_MAX]) + more
