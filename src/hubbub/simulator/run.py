"""Runs seeds of the whole system, and makes the plan of a failing seed short."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Literal

import msgspec

from ..feature import Feature
from ..features import FEATURES
from ..testing.simulation import simulate
from ..testing.simulation.shrinking import shorter
from .board_workload import BoardWorkload
from .chat_workload import ChatWorkload
from .cluster import Cluster
from .faults import happen
from .machine import Machine, MemoryMachine, SQLiteMachine
from .match_workload import MatchWorkload
from .plan import PlannedFault, draw_plan
from .provider import FlakyProvider
from .realtime_workload import RealtimeWorkload
from .shop_workload import ShopWorkload
from .sign_out_workload import SignOutWorkload
from .workload import Workload
from .world import Result, World

__all__ = ["RunOptions", "run_seed", "shortest_plan"]

# How long, on average, from fault to fault, in seconds.
FAULT_SECONDS = 200.0
# How long, on average, until a user does the next thing, in seconds.
ACTION_SECONDS = 30.0
# The chance that users do something else than to chat, for each thing that they can do.
WORKLOAD_CHANCE = 0.5
# How often a shorter plan is tried.
SHRINK_TRIES_MAX = 60
# After these, times do not say when something was, or a commit that failed may have left the limit
# more generous: so the page on guarantees says.
INEXACT = frozenset({"clock jump", "disk errors", "full disk"})
# The faults that can happen when users are in the process of the server.
WITHOUT_NETWORK = INEXACT | {"silent provider", "failing provider"}
# How many runs have a cluster, and of how many nodes.
CLUSTER_CHANCE = 0.15
CLUSTER_NODES = (2, 3)
# How many of the others have a SQLite database on a disk that keeps only what was synced.
SQLITE_CHANCE = 0.1


class RunOptions(msgspec.Struct, frozen=True, kw_only=True):
    """
    The options that the runs of all seeds share.

    Args:
        backend: the event loop.
        hours: how long users act and faults happen, in simulated hours.
        clients: how many users there are.
        fault_seconds: how long, on average, from fault to fault; 0 for none.
        action_seconds: how long, on average, until a user does the next thing.
        features: of the hub.
        workloads: make what users do, besides what Hubbub has.
        nodes: how many servers there are; by default each seed draws it, mostly 1.
        in_process: whether users have sessions in the server's process: there is no network, and
            the server does not crash.
    """

    backend: Literal["asyncio", "trio"]
    hours: float = 1.0
    clients: int = 5
    fault_seconds: float = FAULT_SECONDS
    action_seconds: float = ACTION_SECONDS
    features: Sequence[Feature] = FEATURES
    workloads: Sequence[Callable[[], Workload]] = ()
    nodes: int | None = None
    in_process: bool = False


def run_seed(seed: int, options: RunOptions, plan: Sequence[PlannedFault] | None = None) -> Result:
    """
    Run one seed.

    Args:
        seed: draws the plan, the network, the order of tasks, and everything else.
        options: how long, with how many users.
        plan: what goes wrong, instead of what the seed draws.

    Raises:
        Broken: a promise is broken.
        Exception: the server or a client failed.
    """
    seconds = options.hours * 3600
    if plan is None:
        plan = plan_of(seed, options)
    nodes = nodes_of(seed, options)
    # In a cluster the clock of the database decides, and the database keeps the rate limits.
    exact = nodes > 1 or INEXACT.isdisjoint(fault.kind for fault in plan)
    steady = nodes > 1 or not any(fault.kind == "clock jump" for fault in plan)
    provider = FlakyProvider(Random(f"provider {seed}"))
    workloads = [
        *_drawn(
            Random(f"workloads {seed}"),
            provider,
            exact=exact,
            steady=steady,
            kept=nodes > 1,
            network=not options.in_process,
        ),
        *(make() for make in options.workloads),
    ]

    async def live(machine: Machine) -> Result:
        cluster = Cluster(seed, nodes) if nodes > 1 else None
        world = World(
            seed,
            [machine] if cluster is None else cluster.machines,
            seconds,
            options.clients,
            plan,
            happen,
            workloads,
            options.action_seconds,
            options.features,
            provider,
            cluster,
            in_process=options.in_process,
        )
        return await world.run()

    with _quiet(), _machine_of(seed, nodes) as machine:
        return simulate(live, machine, backend=options.backend, seed=seed)


def _drawn(  # noqa: PLR0913
    random: Random,
    provider: FlakyProvider,
    *,
    exact: bool,
    steady: bool,
    kept: bool,
    network: bool,
) -> Sequence[Workload]:
    """Draw what users do: few things are done more often, and all of them meet one another."""
    others: list[Workload] = [
        MatchWorkload(steady=steady),
        BoardWorkload(),
        ShopWorkload(provider),
    ]
    if steady:
        others.append(RealtimeWorkload())
    if network:
        others.append(SignOutWorkload())
    return [
        ChatWorkload(exact=exact, kept=kept),
        *(workload for workload in others if random.random() < WORKLOAD_CHANCE),
    ]


def plan_of(seed: int, options: RunOptions) -> Sequence[PlannedFault]:
    """Return what goes wrong in the run of a seed."""
    if not options.fault_seconds:
        return ()
    random = Random(f"plan {seed}")
    plan = draw_plan(
        random,
        options.hours * 3600,
        options.clients,
        options.fault_seconds,
        nodes_of(seed, options),
    )
    if options.in_process:
        plan = [fault for fault in plan if fault.kind in WITHOUT_NETWORK]
    return plan


def nodes_of(seed: int, options: RunOptions) -> int:
    """Return how many servers the run of a seed has."""
    if options.nodes is not None:
        return options.nodes
    random = Random(f"nodes {seed}")
    if options.in_process or random.random() >= CLUSTER_CHANCE:
        return 1
    return random.choice(CLUSTER_NODES)


def shortest_plan(seed: int, options: RunOptions) -> Sequence[PlannedFault]:
    """Return as few faults of a failing seed as still make it fail."""

    def fails(plan: list[PlannedFault]) -> bool:
        try:
            run_seed(seed, options, plan)
        except Exception:
            return True
        return False

    return shorter(plan_of(seed, options), fails, SHRINK_TRIES_MAX)


@contextmanager
def _machine_of(seed: int, nodes: int) -> Iterator[Machine]:
    """Draw the server's machine: mostly the quick one, sometimes a real database."""
    random = Random(f"machine {seed}")
    if nodes > 1 or random.random() >= SQLITE_CHANCE:
        yield MemoryMachine(random)
        return
    with TemporaryDirectory() as folder, SQLiteMachine(random, Path(folder)) as machine:
        yield machine


@contextmanager
def _quiet() -> Iterator[None]:
    """Log nothing of the hub: it reports each fault, and all of them are wanted."""
    logger = logging.getLogger("hubbub")
    before, logger.disabled = logger.level, logger.disabled
    logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        logger.setLevel(before)
