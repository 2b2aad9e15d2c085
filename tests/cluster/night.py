"""
Uses a real cluster while its nodes and servers are killed and stopped, and networks fail.

``python -m tests.cluster.night 3600 [FIRST_SEED]`` runs for an hour. Each round has a seed, which
draws the cluster, the troubles and what users do; the processes' timing is their own.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from itertools import count, cycle
from pathlib import Path
from random import Random

import anyio
from typer.testing import CliRunner

import hubbub
from hubbub.cli.app import app
from hubbub.local_servers.server_process import free_port
from tests.cluster.attending import Attending
from tests.cluster.balancer import Balancer, balanced
from tests.cluster.bank import open_bank
from tests.cluster.buying import PRICE, STOCK, Buying
from tests.cluster.chatting import Chatting
from tests.cluster.machines import Cluster, Layout, real_cluster
from tests.cluster.scoring import Scoring
from tests.cluster.searching import Searching
from tests.cluster.troubles import troubles_of
from tests.cluster.works import Round, Work, connected

ROUND_SECONDS = 20.0
# The most of a round's time that its troubles have: then everything has to end.
TROUBLE_SHARE = 0.4


def main(seconds: float, first: int) -> int:
    """Run rounds until the time is over; return the number of those with faults."""
    ends, failed = time.perf_counter() + seconds, 0
    for seed in count(first):
        left = ends - time.perf_counter()
        if left <= 0 and seed > first:
            return failed
        failed += not run_round(seed, min(max(left, 5.0), ROUND_SECONDS))
    raise AssertionError


def layout_of(seed: int) -> Layout:
    """Return the cluster of a round: each kind comes with each other in time."""
    return Layout(
        bus=seed % 2 == 0,
        standby=seed % 5 == 4,
        networks=seed % 3 == 0,
        ahead=(0, 1, 0, -1)[seed // 2 % 4],
        bank=free_port(),
    )


def run_round(seed: int, seconds: float) -> bool:
    """Run one round; return whether everything was right."""
    # PostgreSQL's user, who is another for root, has to reach it.
    directory = Path(tempfile.mkdtemp(prefix="hubbub-cluster-"))
    directory.chmod(0o755)
    layout = layout_of(seed)
    with real_cluster(directory, layout, Random(f"network {seed}")) as cluster:
        faults = anyio.run(one_round, cluster, layout, seconds * TROUBLE_SHARE, seed)
        for node in cluster.nodes:
            node.leave()
        for node in cluster.nodes:
            node.close()
        faults += verified(cluster.url)
    for fault in faults[:20]:
        print(f"  seed {seed}: {fault}")
    if faults:
        print(f"  The logs are in {directory}.")
    else:
        shutil.rmtree(directory)
    return not faults


async def one_round(cluster: Cluster, layout: Layout, seconds: float, seed: int) -> list[str]:
    """Let users do their works under trouble; return what is wrong."""
    await open_shop(cluster.url)
    happened = list[str]()
    async with (
        balanced([node.port for node in cluster.nodes]) as balancer,
        open_bank(layout.bank, Random(f"bank {seed}")) as bank,
    ):
        works: list[Work] = [
            Chatting(6, 3),
            Scoring(2),
            Searching(4),
            Buying(4, bank),
            Attending(6),
        ]
        round_ = Round(balancer.url, [node.url for node in cluster.nodes], seed)
        began, took = time.perf_counter(), dict[Work, float]()
        async with anyio.create_task_group() as tasks:
            for work in works:
                tasks.start_soon(run, work, round_, took)
            await make_trouble(cluster, balancer, seconds, Random(seed), happened)
            round_.over.set()
            ended = time.perf_counter()
        faults = await faults_of(works, balancer.url)
    print(f"seed {seed}, {described(cluster, layout)}: {', '.join(happened)}.")
    for work in works:
        print(f"  {work.figures()}; ended {took[work] - ended:.1f} s later")
    print(f"  {ended - began:.1f} s of trouble: {len(faults) or 'no'} faults")
    return faults


async def run(work: Work, round_: Round, ended: dict[Work, float]) -> None:
    """Do a work, and note when it ended."""
    await work.run(round_)
    ended[work] = time.perf_counter()


async def open_shop(url: str) -> None:
    """Put pens on the shelf, by a node that then leaves the cluster."""
    async with hubbub.open(url) as hub, hub.session("root", role="admin") as root:
        await root.shop.set_product("pen", "Pen", PRICE, stock=STOCK)


async def make_trouble(
    cluster: Cluster, balancer: Balancer, seconds: float, random: Random, happened: list[str]
) -> None:
    """Make troubles, each after the other."""
    ends, troubles = anyio.current_time() + seconds, troubles_of(cluster)
    await anyio.sleep(1)
    for name in cycle(random.sample(list(troubles), len(troubles))):
        if anyio.current_time() >= ends:
            return
        happened.append(name)
        await troubles[name](cluster, balancer, random)
        await anyio.sleep(random.uniform(0.5, 2))


async def faults_of(works: Sequence[Work], url: str) -> list[str]:
    """Look into all books."""
    faults = list[str]()
    async with connected(url, "reader") as reader:
        for work in works:
            faults += await work.faults(reader)
    return faults


def described(cluster: Cluster, layout: Layout) -> str:
    """Return what a cluster is made of, in some words."""
    parts = ["Valkey" if cluster.valkey else "NOTIFY"]
    parts += ["a standby"] if cluster.pair else []
    parts += ["bad networks"] if layout.networks else []
    if layout.ahead:
        parts.append(f"a clock {layout.ahead:+d} h")
    return ", ".join(parts)


def verified(url: str) -> list[str]:
    """Return what ``hubbub verify`` finds."""
    result = CliRunner().invoke(app, ["verify", url])
    return [] if result.exit_code == 0 else result.output.splitlines()


if __name__ == "__main__":
    given = [*sys.argv[1:], *["60", "0"][len(sys.argv) - 1 :]]
    sys.exit(min(main(float(given[0]), int(given[1])), 1))
