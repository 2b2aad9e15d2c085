"""The troubles of a real cluster: each begins, lasts for some time, and is mended."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from random import Random

import anyio
from anyio import to_thread

from tests.cluster.balancer import Balancer
from tests.cluster.machines import Cluster, Node
from tests.cluster.proxy import Network

__all__ = ["Trouble", "troubles_of"]

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


async def restart_all_nodes(cluster: Cluster, balancer: Balancer, random: Random) -> None:
    for node in cluster.nodes:
        node.leave()
        await to_thread.run_sync(node.process.wait)
        await _start(node)


async def fail_over(cluster: Cluster, balancer: Balancer, random: Random) -> None:
    if cluster.pair is not None and not cluster.pair.is_promoted:
        await to_thread.run_sync(cluster.pair.fail_over)


class _Way:
    """
    The troubles of a network.

    Args:
        network: what troubles hit.
    """

    def __init__(self, network: Network) -> None:
        self._network = network

    async def is_slow(self, cluster: Cluster, balancer: Balancer, random: Random) -> None:
        self._network.delay = random.uniform(0.01, 0.2)
        await anyio.sleep(random.uniform(0.5, AWAY_SECONDS_MAX))
        self._network.delay = 0.0

    async def stands_still(self, cluster: Cluster, balancer: Balancer, random: Random) -> None:
        self._network.stall()
        await anyio.sleep(random.uniform(0.5, STILL_SECONDS_MAX))
        self._network.flow()

    async def is_reset(self, cluster: Cluster, balancer: Balancer, random: Random) -> None:
        for _ in range(random.randint(1, 5)):
            self._network.reset()
            await anyio.sleep(random.uniform(0, 0.5))

    async def is_cut(self, cluster: Cluster, balancer: Balancer, random: Random) -> None:
        self._network.bytes_max = random.choice([300, 3_000, 30_000])
        self._network.reset()
        await anyio.sleep(random.uniform(0.5, AWAY_SECONDS_MAX))
        self._network.bytes_max = 0

    async def loses_answers(self, cluster: Cluster, balancer: Balancer, random: Random) -> None:
        self._network.answers_lost = random.uniform(0.05, 0.5)
        await anyio.sleep(random.uniform(0.5, AWAY_SECONDS_MAX))
        self._network.answers_lost = 0.0


def _some(cluster: Cluster, random: Random) -> Node:
    return random.choice(cluster.nodes)


async def _start(node: Node) -> None:
    await to_thread.run_sync(node.start)
    await to_thread.run_sync(node.wait_until_ready)


OF_NODES: dict[str, Trouble] = {
    "a node is killed": kill_a_node,
    "a node stands still": stop_a_node,
    "a node is restarted": restart_a_node,
    "all nodes are restarted": restart_all_nodes,
}
OF_POSTGRES: dict[str, Trouble] = {
    "PostgreSQL is killed": kill_postgres,
    "PostgreSQL stands still": stop_postgres,
}
OF_VALKEY: dict[str, Trouble] = {
    "Valkey is killed": kill_valkey,
    "Valkey stands still": stop_valkey,
}


def troubles_of(cluster: Cluster) -> dict[str, Trouble]:
    """Return what can happen to a cluster."""
    troubles = dict(OF_NODES)
    if cluster.pair is not None:
        troubles["the standby is promoted"] = fail_over
    else:
        troubles |= OF_POSTGRES
    if cluster.valkey is not None:
        troubles |= OF_VALKEY
    if cluster.to_postgres is not None:
        way = _Way(cluster.to_postgres)
        troubles["commits' answers are lost"] = way.loses_answers
        troubles |= _of_way("PostgreSQL", way)
    if cluster.to_valkey is not None:
        troubles |= _of_way("Valkey", _Way(cluster.to_valkey))
    return troubles


def _of_way(to: str, way: _Way) -> dict[str, Trouble]:
    return {
        f"the way to {to} is slow": way.is_slow,
        f"the way to {to} stands still": way.stands_still,
        f"the way to {to} is reset": way.is_reset,
        f"the way to {to} is cut": way.is_cut,
    }
