"""Figures of three nodes on this machine, with PostgreSQL and Valkey beside them."""

from __future__ import annotations

import json
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import anyio

import hubbub
from tests.bench.table import Row
from tests.bench.wire import SIGN_IN, load_generator
from tests.cluster.machines import Cluster, Layout, real_cluster

__all__ = ["JOIN", "UNLIMITED", "crossing", "make_rooms", "one_room", "spread"]

NODES = 3
RUNS = 3
ROOMS = 999
# Sockets at each node, each of which waits for its acknowledgement before it sends again.
SOCKETS = 333
# As many as send about 5,000 messages a second into one room.
SOCKETS_IN_ONE_ROOM = 40
CROSSING_ROOMS = 50
CROSSING_RATE = 1_000
UNLIMITED = ("message_limit=10000000", "message_period=1", "requests_per_second=10000000")
FEATURES = [hubbub.USERS, hubbub.CHAT]
JOIN = '{"jsonrpc":"2.0","id":2,"method":"chat.join","params":{"room_id":"%1"}}'
SEND = (
    '{"jsonrpc":"2.0","id":%n,"method":"chat.send","params":{"room_id":"%1",'
    '"text":"hello there, how are you all doing today?"}}'
)


def spread(backend: str, seconds: float) -> list[Row]:
    """Measure acknowledged messages into many rooms, through the sockets of all nodes."""
    sums = [sum(run["ops_s"] for run in _load(ROOMS, SOCKETS, seconds)) for _ in range(RUNS)]
    what = f"durable messages, {NODES} nodes, {ROOMS:,} rooms"
    return [Row(what, "both", statistics.median(sums), "messages/s", 10_000)]


def one_room(backend: str, seconds: float) -> list[Row]:
    """Measure acknowledged messages into one room from all nodes, and their latency."""
    runs = [_load(1, SOCKETS_IN_ONE_ROOM, seconds) for _ in range(RUNS)]
    sums = [sum(node["ops_s"] for node in run) for run in runs]
    p99 = [max(node["p99_ms"] for node in run) for run in runs]
    share = [min(n["ops_s"] for n in run) / sum(n["ops_s"] for n in run) for run in runs]
    return [
        Row(f"into one room, {NODES} nodes", "both", statistics.median(sums), "messages/s", 5_000),
        Row("  99 of 100 are acknowledged in", "both", statistics.median(p99), "ms", 50, most=True),
        Row("  the slowest node's share", "both", statistics.median(share), "", 0.3),
    ]


def crossing(backend: str, seconds: float) -> list[Row]:
    """Measure the time from sending at one node to a follower at another."""
    with _clusters() as cluster:
        times = anyio.run(_cross, cluster, seconds)
    what = f"from node to node, {CROSSING_RATE:,}/s into {CROSSING_ROOMS} rooms"
    return [Row(what, "both", statistics.median(times) * 1e3, "ms", 10, most=True)]


@contextmanager
def _clusters() -> Iterator[Cluster]:
    with tempfile.TemporaryDirectory() as folder:
        # PostgreSQL's own user must be able to reach it.
        Path(folder).chmod(0o755)
        arguments = tuple(word for one in UNLIMITED for word in ("--set", one))
        with real_cluster(Path(folder), Layout(nodes=NODES, arguments=arguments)) as cluster:
            yield cluster


def _load(rooms: int, sockets: int, seconds: float) -> list[dict[str, float]]:
    with _clusters() as cluster, tempfile.TemporaryDirectory() as folder:
        ids = anyio.run(make_rooms, cluster.postgres.url, rooms)
        steps = ["UPGRADE /ws", f"SEND {SIGN_IN % json.dumps({'nickname': 'u%i'})}"]
        steps += ['WAIT "result"', f"SEND {JOIN}", 'WAIT "id":2']
        (Path(folder) / "steps").write_text("\n".join(steps) + "\n")
        started = [
            subprocess.Popen(
                _command(folder, number, node.port, node.process.pid, sockets, seconds, ids),
                stdout=subprocess.PIPE,
                text=True,
            )
            for number, node in enumerate(cluster.nodes)
        ]
        return [json.loads(one.communicate()[0].splitlines()[-1]) for one in started]


def _command(
    folder: str,
    number: int,
    port: int,
    pid: int,
    sockets: int,
    seconds: float,
    ids: Sequence[str],
) -> list[str]:
    paths = Path(folder) / f"paths{number}"
    mine = [ids[(NODES * one + number) % len(ids)] for one in range(sockets)]
    paths.write_text("".join(f"{room}\n" for room in mine))
    given = {
        "--mode": "rr",
        "--n": sockets,
        "--port": port,
        "--pids": pid,
        "--hs": f"{folder}/steps",
        "--paths": paths,
        "--warm": 1,
        "--dur": seconds,
        "--req": SEND,
        "--pub": SEND,
        "--ack": '"id":',
    }
    return [load_generator(), *(str(word) for pair in given.items() for word in pair)]


async def make_rooms(url: str, count: int) -> list[str]:
    """Make rooms as an application does, for which no quota counts."""
    ids: list[str] = []
    async with hubbub.open(url, features=FEATURES) as hub, hub.session("root") as root:

        async def make(number: int) -> None:
            ids.append((await root.chat.create_room(f"room {number}")).id)

        for first in range(0, count, 100):
            async with anyio.create_task_group() as tasks:
                for number in range(first, min(first + 100, count)):
                    tasks.start_soon(make, number)
    return ids


async def _cross(cluster: Cluster, seconds: float) -> list[float]:
    ids = await make_rooms(cluster.postgres.url, CROSSING_ROOMS)
    sent: dict[str, float] = {}
    times: list[float] = []
    urls = [node.url for node in cluster.nodes]

    async def follow(session: hubbub.Session, room: str) -> None:
        async with session.follow(f"room/{room}") as events:
            async for event in events:
                if (began := sent.pop(str(getattr(event.data, "text", "")), None)) is not None:
                    times.append(time.perf_counter() - began)  # noqa: PERF401  # it grows here

    async with (
        hubbub.connect(urls[0], nickname="sender") as sender,
        hubbub.connect(urls[1], nickname="follower") as follower,
        anyio.create_task_group() as tasks,
    ):
        for room in ids:
            await sender.chat.join(room)
            await follower.chat.join(room)
            tasks.start_soon(follow, follower, room)
        await anyio.sleep(1)
        began, number = time.perf_counter(), 0
        while (now := time.perf_counter()) < began + seconds:
            while number < (now - began) * CROSSING_RATE:
                text = str(number)
                sent[text] = time.perf_counter()
                tasks.start_soon(sender.chat.send, ids[number % len(ids)], text)
                number += 1
            await anyio.sleep(0.001)
        await anyio.sleep(1)
        tasks.cancel_scope.cancel()
    return times
