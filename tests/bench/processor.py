"""The processor time of a message in nodes and in PostgreSQL: figures of ``hubbub plan``."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import anyio
import psycopg

from tests.bench.cluster import JOIN, UNLIMITED, make_rooms
from tests.bench.floors import compiled
from tests.bench.table import Row
from tests.bench.wire import FOLLOW, SIGN_IN
from tests.cluster.machines import Cluster, Layout, real_cluster

__all__ = ["processor"]

RUNS = 3
RATE = 500
ROOMS = 50
# Followers of each room, all of them at the node that does not accept the messages.
FOLLOWERS = 20
TEXT_CHARS = 100
WARM_SECONDS = 2.0
TICK = os.sysconf("SC_CLK_TCK")
LAST = "SELECT coalesce(max(place), 0) FROM event"
SAY = (
    '{"jsonrpc":"2.0","id":%n,"method":"chat.send","params":'
    '{"room_id":"%1","text":"%M","key":"%n-%r-0123456789"}}'
)
# A generator of followers sends a message itself, and then no other.
ONCE = 0.001


class _Times(NamedTuple):
    """The costs of a second of a load: the processor seconds of each, and the messages."""

    accepting: float
    hearing: float
    postgres: float
    messages: float


class _Costs(NamedTuple):
    """Processor seconds."""

    accepted: float
    heard: float
    followed: float
    stored: float


def processor(backend: str, seconds: float) -> list[Row]:
    """
    Measure what a message costs at the node that accepts it, at another, and in PostgreSQL.

    All messages go to the first of two nodes, and all followers are at the second.
    """
    runs = [_run(backend, seconds) for _ in range(RUNS)]
    names = {
        "accepted": f"a node accepts a message, at {RATE} a second",
        "heard": "  another node receives it",
        "followed": f"  a node sends it to a follower, of {FOLLOWERS} there",
        "stored": "  PostgreSQL writes it",
    }
    return [
        Row(what, backend, statistics.median(getattr(run, name) for run in runs) * 1e6, "µs")
        for name, what in names.items()
    ]


def _run(backend: str, seconds: float) -> _Costs:
    with _cluster(backend) as cluster, tempfile.TemporaryDirectory() as folder:
        rooms = anyio.run(make_rooms, cluster.postgres.url, ROOMS)
        (Path(folder) / "rooms").write_text("".join(f"{room}\n" for room in rooms))
        time.sleep(WARM_SECONDS)
        idle = _times(cluster, seconds)
        with _generator(folder, cluster.nodes[0].port, 0, ROOMS, RATE):
            sent = _times(cluster, seconds)
            with _generator(folder, cluster.nodes[1].port, ROOMS * FOLLOWERS, 1, ONCE):
                followed = _times(cluster, seconds)
    heard = (sent.hearing - idle.hearing) / sent.messages
    following = followed.hearing - idle.hearing - heard * followed.messages
    return _Costs(
        accepted=(sent.accepting - idle.accepting) / sent.messages,
        heard=heard,
        followed=following / (followed.messages * FOLLOWERS),
        stored=(sent.postgres - idle.postgres) / sent.messages,
    )


@contextmanager
def _cluster(backend: str) -> Iterator[Cluster]:
    with tempfile.TemporaryDirectory() as folder:
        # PostgreSQL's own user must be able to reach it.
        Path(folder).chmod(0o755)
        arguments = [word for one in UNLIMITED for word in ("--set", one)]
        layout = Layout(nodes=2, arguments=("--backend", backend, *arguments))
        with real_cluster(Path(folder), layout) as cluster:
            yield cluster


@contextmanager
def _generator(folder: str, port: int, followers: int, senders: int, rate: float) -> Iterator[None]:
    """Let sockets of a node follow rooms, or send into them at a rate, until the exit."""
    started = ["UPGRADE /ws", f"SEND {SIGN_IN % json.dumps({'nickname': 'u%i'})}", 'WAIT "result"']
    joined = [*started, f"SEND {JOIN}", 'WAIT "id":2']
    following = [*joined, f"SEND {FOLLOW % json.dumps({'stream': 'room/%1'})}", 'WAIT "head"']
    steps = {"following": following, "sending": joined}
    given: Mapping[str, object] = {
        "--n": followers,
        "--pubs": senders,
        "--rate": rate,
        "--size": TEXT_CHARS,
        "--port": port,
        "--hs": _written(folder, "following", steps["following"]),
        "--hsp": _written(folder, "sending", steps["sending"]),
        "--paths": f"{folder}/rooms",
        "--pub": SAY,
        "--dur": 3600,
    }
    command = [compiled("lg.c"), *(str(word) for pair in given.items() for word in pair)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as generator:
        try:
            time.sleep(WARM_SECONDS)
            yield
            assert generator.poll() is None, "the load generator has ended"
        finally:
            generator.terminate()


def _written(folder: str, name: str, steps: Sequence[str]) -> Path:
    path = Path(folder) / name
    path.write_text("\n".join(steps) + "\n")
    return path


def _times(cluster: Cluster, seconds: float) -> _Times:
    """Measure what a second costs, on average, while a load is on."""
    began, before = time.perf_counter(), _totals(cluster)
    time.sleep(seconds)
    after, took = _totals(cluster), time.perf_counter() - began
    return _Times(*((late - early) / took for early, late in zip(before, after, strict=True)))


def _totals(cluster: Cluster) -> _Times:
    with psycopg.connect(cluster.postgres.url) as database:
        [(last,)] = database.execute(LAST).fetchall()
    first, second = (_processor_seconds(node.process.pid) for node in cluster.nodes)
    return _Times(first, second, _of_all(cluster.postgres.process.pid), float(last))


def _of_all(pid: int) -> float:
    """Return the processor seconds of a process, and of all that it has started."""
    while True:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        try:
            of_children = [_processor_seconds(int(child), ended=True) for child in children]
        except FileNotFoundError:
            # The process has ended meanwhile; now its parent's times include its time.
            continue
        return _processor_seconds(pid, ended=True) + sum(of_children)


def _processor_seconds(pid: int, *, ended: bool = False) -> float:
    """Return those of a process, and with ``ended`` also of its children that have ended."""
    # After the name, which may have spaces, the times are the fields 14 to 17.
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:15]
    return sum(int(field) for field in (fields if ended else fields[:2])) / TICK
