"""Figures of the buses, on servers of this machine: ``python tests/bench/buses.py``."""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import anyio

sys.path.insert(0, str(Path(__file__).parents[2]))

from hubbub.journal.cluster.bus import SHARDS, Bus
from hubbub.journal.cluster.bus_url import open_bus, open_notify_bus
from hubbub.journal.cluster.outbox import Outbox
from hubbub.local_servers import postgres_server, valkey_server
from tests.journal.cluster.kit import Listener, listening
from tests.local_servers.places import reachable

__all__ = ["flood", "latency", "packing"]

PACED_FRAMES = 500
PAUSE_SECONDS = 0.003
FLOOD_FRAMES = 20_000
# Frames on their way at the same time: the queue takes them all.
AHEAD_FRAMES = 500


async def latency(new_bus: Callable[[], Bus], size: int) -> tuple[float, float]:
    """Return the median and the 99th percentile from publishing to receiving, in ms."""
    async with listening(new_bus(), new_bus()) as (sender, receiver):
        spent = []
        for n in range(PACED_FRAMES):
            began = time.perf_counter()
            sender.bus.publish(n % SHARDS, b"%d " % n + b"x" * size)
            await receiver.until(partial(has, receiver, n + 1))
            spent.append((time.perf_counter() - began) * 1000)
            await anyio.sleep(PAUSE_SECONDS)
        return statistics.median(spent), statistics.quantiles(spent, n=100)[98]


async def flood(new_bus: Callable[[], Bus], size: int) -> float:
    """Return the frames a second from one node to another, both in this process."""
    async with listening(new_bus(), new_bus()) as (sender, receiver):
        began = time.perf_counter()
        for n in range(FLOOD_FRAMES):
            sender.bus.publish(n % SHARDS, b"%d " % n + b"x" * size)
            if n % 100 == 0:
                await receiver.until(partial(has, receiver, n - AHEAD_FRAMES))
        await receiver.until(partial(has, receiver, FLOOD_FRAMES))
        return FLOOD_FRAMES / (time.perf_counter() - began)


def has(receiver: Listener, count: int) -> bool:
    return len(receiver.frames) >= count


def packing(streams: int) -> float:
    """Return how long the frames of a commit with an event for each stream take, in ms."""
    outbox, count = Outbox("0" * 26, 1024 * 1024), 200
    commit = {f"room/{n}": (n + 1, [b"x" * 160]) for n in range(streams)}
    began = time.perf_counter()
    for _ in range(count):
        for _ in outbox.events(commit):
            pass
    return (time.perf_counter() - began) / count * 1000


def main() -> None:
    """Print the figures on both event loops."""
    with reachable() as place, ExitStack() as stack:
        postgres = stack.enter_context(postgres_server(place / "postgres"))
        valkey = stack.enter_context(valkey_server(place / "valkey"))
        buses: dict[str, Callable[[], Bus]] = {
            "NOTIFY": lambda: open_notify_bus(postgres.url, "bench"),
            "Valkey": lambda: open_bus(valkey.url, "bench"),
        }
        for name, new_bus in buses.items():
            for backend in ("asyncio", "trio"):
                for size in (100, 1_000, 5_000):
                    median, late = anyio.run(latency, new_bus, size, backend=backend)
                    rate = anyio.run(flood, new_bus, size, backend=backend)
                    print(
                        f"{name} on {backend}, {size} bytes: median {median:.2f} ms, "
                        f"p99 {late:.1f} ms; {rate:,.0f} frames/s"
                    )
    for streams in (1, 10, 300):
        print(f"frames of a commit of {streams} streams: {packing(streams):.3f} ms")


if __name__ == "__main__":
    main()
