"""The troubles of a real cluster: each begins, lasts for some time, and is mended."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from random import Random

import anyio
from anyio import to_thread

from tests.cluster.machines import Balancer, Cluster, Node

__all__ = ["TROUBLES", "Trouble"]

# The longest that a server stands still, in seconds.
STILL_SECONDS_MAX = 5.0
AWAY_SECONDS_MAX = 2.0

Trouble = Callable[[Cluster, Balancer, Random], Awaitable[None]]


async def kill_a_node(cluster: Cluster, balancer: Balancer, random: Random) -> None:
    node = _some(cluster, random)
    node.kill()
    await anyio.sleep(random.uniform(0, AWAY_SECONDS_MAX))
    await _start(node)


async def stop_a_node(cluster: Cluster, balancer: Balancer, random: Random) -> None:
    node = _some(cluster, random)
    node.stop()
    # Its health check does not answer.
    balancer.take_down(node.port)
    await anyio.sleep(random.uniform(0.5, STILL_SECONDS_MAX))
    node.cont()
    balancer.put_up(node.port)


async def restart_a_node(cluster: Cluster, balancer: Balancer, random: Random) -> None:
    node = _some(cluster, random)
    node.leave()
    await to_thread.run_sync(node.process.wait)
    await _start(node)


async def kill_postgres(cluster: Cluster, balancer: Balancer, random: Random) -> None:
    cluster.postgres.kill()
    await anyio.sleep(random.uniform(0, AWAY_SECONDS_MAX))
    await to_thread.run_sync(cluster.postgres.restart)


async def stop_postgres(cluster: Cluster, balancer: Balancer, random: Random) -> None:
    cluster.postgres.stop()
    await anyio.sleep(random.uniform(0.5, STILL_SECONDS_MAX))
    cluster.postgres.cont()


async def kill_valkey(cluster: Cluster, balancer: Balancer, random: Random) -> None:
    if cluster.valkey is not None:
        cluster.valkey.kill()
        await anyio.sleep(random.uniform(0, AWAY_SECONDS_MAX))
        await to_thread.run_sync(cluster.valkey.restart)


async def stop_valkey(cluster: Cluster, balancer: Balancer, random: Random) -> None:
    if cluster.valkey is not None:
        cluster.valkey.stop()
        await anyio.sleep(random.uniform(0.5, STILL_SECONDS_MAX))
        cluster.valkey.cont()


def _some(cluster: Cluster, random: Random) -> Node:
    return random.choice(cluster.nodes)


async def _start(node: Node) -> None:
    await to_thread.run_sync(node.start)
    await to_thread.run_sync(node.wait_until_ready)


TROUBLES: dict[str, Trouble] = {
    "a node is killed": kill_a_node,
    "a node stands still": stop_a_node,
    "a node is restarted": restart_a_node,
    "PostgreSQL is killed": kill_postgres,
    "PostgreSQL stands still": stop_postgres,
    "Valkey is killed": kill_valkey,
    "Valkey stands still": stop_valkey,
}
