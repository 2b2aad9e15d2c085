"""
Chats on a real cluster, while its nodes and servers are killed and stopped.

``python -m tests.cluster.night 3600 [FIRST_SEED]`` runs for an hour. Each round has a seed, which
draws the troubles and what users do; the processes' timing is their own.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from itertools import count
from pathlib import Path
from random import Random

import anyio
from typer.testing import CliRunner

import hubbub
from hubbub.cli.app import app
from tests.cluster.chatting import Chat, chat
from tests.cluster.machines import Balancer, Cluster, balanced, real_cluster
from tests.cluster.troubles import TROUBLES

ROUND_SECONDS = 20.0
ROOMS = 4
USERS = 10
PAGE = 100


def main(seconds: float, first: int) -> int:
    """Run rounds until the time is over; return the number of those with faults."""
    ends, failed = time.perf_counter() + seconds, 0
    for seed in count(first):
        left = ends - time.perf_counter()
        if left <= 0 and seed > first:
            return failed
        failed += not run_round(seed, min(max(left, 5.0), ROUND_SECONDS))
    raise AssertionError


def run_round(seed: int, seconds: float) -> bool:
    """Run one round; return whether everything was right."""
    # PostgreSQL's user, who is another for root, has to reach it.
    directory = Path(tempfile.mkdtemp(prefix="hubbub-cluster-"))
    directory.chmod(0o755)
    os.environ["HUBBUB_MESSAGE_LIMIT"] = "1000000"
    with real_cluster(directory, bus=seed % 2 == 0) as cluster:
        faults = anyio.run(one_round, cluster, seconds, seed)
        for node in cluster.nodes:
            node.close()
        faults += verified(cluster.postgres.url)
    for fault in faults[:20]:
        print(f"  seed {seed}: {fault}")
    if faults:
        print(f"  The logs are in {directory}.")
    else:
        shutil.rmtree(directory)
    return not faults


async def one_round(cluster: Cluster, seconds: float, seed: int) -> list[str]:
    random, happened = Random(seed), list[str]()
    async with balanced([node.port for node in cluster.nodes]) as balancer:
        async with hubbub.connect(balancer.url, nickname="root") as root:
            rooms = [(await root.chat.create_room(f"room {n}")).id for n in range(ROOMS)]
            history = Chat(rooms)
            async with anyio.create_task_group() as tasks:
                for number in range(USERS):
                    user = Random(f"{seed} {number}")
                    tasks.start_soon(chat, balancer.url, history, f"user {number}", user)
                await make_trouble(cluster, balancer, seconds, random, happened)
                history.stop = True
        faults = history.faults(await stored_in(balancer.url, history))
    print(
        f"seed {seed}, {'Valkey' if cluster.valkey else 'NOTIFY'}: {', '.join(happened)}; "
        f"{len(history.said)} messages, the longest wait {history.longest:.1f} s: "
        f"{len(faults) or 'no'} faults"
    )
    return faults


async def make_trouble(
    cluster: Cluster, balancer: Balancer, seconds: float, random: Random, happened: list[str]
) -> None:
    ends = anyio.current_time() + seconds
    kinds = [name for name in TROUBLES if cluster.valkey or "Valkey" not in name]
    while anyio.current_time() < ends:
        await anyio.sleep(random.uniform(0.5, 2))
        name = random.choice(kinds)
        happened.append(name)
        await TROUBLES[name](cluster, balancer, random)


async def stored_in(url: str, history: Chat) -> dict[str, list[tuple[int, str]]]:
    """Read all rooms, up to where the users have read them."""
    stored = {}
    async with hubbub.connect(url, nickname="reader") as reader:
        for room in history.rooms:
            last = max(len(rooms[room]) for rooms in history.read.values())
            await reader.chat.join(room)
            found = list[tuple[int, str]]()
            while page := await reader.read(f"room/{room}", after=len(found), limit=PAGE):
                found += [(event.seq, str(getattr(event.data, "text", ""))) for event in page]
            stored[room] = found[:last]
    return stored


def verified(url: str) -> list[str]:
    """Return what ``hubbub verify`` finds."""
    result = CliRunner().invoke(app, ["verify", url])
    return [] if result.exit_code == 0 else result.output.splitlines()


if __name__ == "__main__":
    given = [*sys.argv[1:], *["60", "0"][len(sys.argv) - 1 :]]
    sys.exit(min(main(float(given[0]), int(given[1])), 1))
