"""The faults of a run, and their times: a list, so that it can be made shorter. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

import msgspec

__all__ = ["CLUSTER_KINDS", "KINDS", "PlannedFault", "draw_plan"]

# Each kind of fault, and how long it lasts at most, in seconds.
KINDS = {
    "crash": 5.0,
    "crash silently": 30.0,
    "restart": 5.0,
    "partition": 30.0,
    "hold": 30.0,
    "cut": 0.0,
    "cut all": 0.0,
    "half open": 60.0,
    "slow": 60.0,
    "disk errors": 5.0,
    "full disk": 20.0,
    "clock jump": 0.0,
    "silent provider": 60.0,
    "failing provider": 60.0,
}
# The same for what else can go wrong with a cluster.
CLUSTER_KINDS = {
    "stop": 30.0,
    "database away": 30.0,
    "partition from database": 30.0,
    "partition from bus": 60.0,
    "bus away": 60.0,
    "lossy bus": 120.0,
    "cut bus": 0.0,
}
# How far a clock jumps at most, in seconds, either way.
JUMP_SECONDS_MAX = 1800.0


class PlannedFault(msgspec.Struct, frozen=True):
    """
    One fault.

    Args:
        at: when it begins, in seconds from the beginning.
        kind: what goes wrong; one of ``KINDS``.
        seconds: how long it lasts; for a clock, how far it jumps.
        client: the client that it befalls, from 0, if it befalls one.
        node: the node that it befalls, from 0, if it befalls one; None without a cluster.
    """

    at: float
    kind: str
    seconds: float
    client: int
    node: int | None = None

    def __str__(self) -> str:
        minutes, seconds = divmod(self.at, 60)
        hours, minutes = divmod(int(minutes), 60)
        lasts = f", {self.seconds:.1f} s" if self.seconds else ""
        where = f"client {self.client}"
        if self.node is not None:
            where = f"node {self.node}, {where}"
        return f"{hours:02}:{minutes:02}:{seconds:05.2f} {self.kind}{lasts} ({where})"


def draw_plan(
    random: Random, seconds: float, clients: int, fault_seconds: float, nodes: int = 1
) -> Sequence[PlannedFault]:
    """
    Draw the faults of a run.

    First it is drawn which kinds there are at all: a run with few kinds goes deeper into them
    than a run with all ("swarm testing", Groce and others, 2012).

    Args:
        random: the source.
        seconds: how long the run takes.
        clients: how many there are.
        fault_seconds: how long, on average, from fault to fault.
        nodes: how many nodes the cluster has; 1 for no cluster.
    """
    all_kinds = KINDS | CLUSTER_KINDS if nodes > 1 else KINDS
    kinds = [kind for kind in all_kinds if random.random() < 0.5]
    if not kinds:
        return ()
    faults, at = [], random.expovariate(1 / fault_seconds)
    while at < seconds:
        kind = random.choice(kinds)
        lasts = random.random() * all_kinds[kind]
        if kind == "clock jump":
            lasts = random.uniform(-JUMP_SECONDS_MAX, JUMP_SECONDS_MAX)
        client = random.randrange(clients)
        node = random.randrange(nodes) if nodes > 1 else None
        faults.append(PlannedFault(round(at, 3), kind, round(lasts, 3), client, node))
        at += random.expovariate(1 / fault_seconds)
    return tuple(faults)
