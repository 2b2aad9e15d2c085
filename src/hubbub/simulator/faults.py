"""Lets a fault happen to a world."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager

import anyio

from .cluster import Cluster
from .node import Node
from .plan import CLUSTER_KINDS, PlannedFault
from .world import World

__all__ = ["happen"]

# How fast a slow connection is, in bytes a second.
SLOW_BYTES_PER_SECOND = 200.0


async def happen(fault: PlannedFault, world: World) -> None:
    """Let a fault happen, and end."""
    if fault.kind in _AT_ONCE:
        await _AT_ONCE[fault.kind](fault, world)
        return
    with _while_it_lasts(fault, world):
        await anyio.sleep(fault.seconds)


async def _crash(fault: PlannedFault, world: World) -> None:
    await world.crash(_node(fault, world), fault.seconds)


async def _crash_silently(fault: PlannedFault, world: World) -> None:
    await world.crash(_node(fault, world), fault.seconds, silently=True)


async def _restart(fault: PlannedFault, world: World) -> None:
    await _node(fault, world).restart(fault.seconds)


async def _cut(fault: PlannedFault, world: World) -> None:
    world.network.cut(world.host_of(fault.client), _node(fault, world).address)


async def _cut_all(fault: PlannedFault, world: World) -> None:
    world.network.cut_host(_node(fault, world).address)


async def _clock_jump(fault: PlannedFault, world: World) -> None:
    if fault.node is None:
        world.clock.ahead += fault.seconds
    else:
        # The clock of a node may be wrong by an hour, because the database's clock decides.
        _node(fault, world).clock.ahead = 2 * fault.seconds


async def _cut_bus(fault: PlannedFault, world: World) -> None:
    _cluster(world).bus.interrupt()


async def _stop(fault: PlannedFault, world: World) -> None:
    node = _node(fault, world)
    _cluster(world)
    world.stop(node, fault.seconds)
    await anyio.sleep(fault.seconds)
    world.go_on(node)


def _node(fault: PlannedFault, world: World) -> Node:
    return world.nodes[fault.node or 0]


def _cluster(world: World) -> Cluster:
    if world.cluster is None:
        raise ValueError("Only a cluster has a bus, and a database of its own.")
    return world.cluster


_AT_ONCE: Mapping[str, Callable[[PlannedFault, World], Awaitable[None]]] = {
    "crash": _crash,
    "crash silently": _crash_silently,
    "restart": _restart,
    "cut": _cut,
    "cut all": _cut_all,
    "clock jump": _clock_jump,
    "cut bus": _cut_bus,
    "stop": _stop,
}


@contextmanager
def _while_it_lasts(fault: PlannedFault, world: World) -> Iterator[None]:
    switch = _switch(fault, world)
    if switch is None:
        yield from _on_the_network(fault, world)
        return
    switch(True)
    yield
    switch(False)


def _on_the_network(fault: PlannedFault, world: World) -> Iterator[None]:
    host, server = world.host_of(fault.client), _node(fault, world).address
    match fault.kind:
        case "partition":
            world.network.partition(host, server)
        case "hold":
            # Requests still arrive; only the answers do not.
            world.network.hold(server, host)
        case "half open":
            world.network.half_open(server, host)
        case "slow":
            world.network.slow(server, host, SLOW_BYTES_PER_SECOND)
        case _:
            raise ValueError(f"There is no fault of the kind {fault.kind!r}.")
    yield
    world.network.heal(host, server)


def _switch(fault: PlannedFault, world: World) -> Callable[[bool], None] | None:
    """Return the function that begins and ends a fault of a machine or of the provider."""
    machine = _node(fault, world).machine
    fill = machine.fill if world.cluster is None else world.cluster.fill
    switches: Mapping[str, Callable[[bool], None]] = {
        "disk errors": lambda on: machine.fail(failing=on),
        "full disk": lambda on: fill(full=on),
        "silent provider": lambda on: setattr(world.provider, "silent", on),
        "failing provider": lambda on: setattr(world.provider, "failing", on),
    }
    if fault.kind in switches:
        return switches[fault.kind]
    return _switch_of_cluster(fault, _cluster(world)) if fault.kind in CLUSTER_KINDS else None


def _switch_of_cluster(fault: PlannedFault, cluster: Cluster) -> Callable[[bool], None]:
    number = fault.node or 0
    switches: Mapping[str, Callable[[bool], None]] = {
        "database away": lambda on: cluster.part(parted=on),
        "partition from database": lambda on: cluster.machines[number].part(parted=on),
        "partition from bus": lambda on: setattr(cluster.lines[number], "away", on),
        "bus away": lambda on: setattr(cluster.bus, "away", on),
        "lossy bus": lambda on: cluster.be_lossy(lossy=on),
    }
    return switches[fault.kind]
