"""
Measures how long clients and other nodes notice that a node is killed or stands still.

``python -m tests.cluster.measured [TIMES]`` prints a table: medians, and the longest.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from functools import partial
from itertools import count
from pathlib import Path
from statistics import median

import anyio
from anyio import to_thread

import hubbub
from hubbub.errors import Conflict
from hubbub.games.events import Told
from hubbub.journal.event import Event
from tests.cluster.balancer import Balancer, balanced
from tests.cluster.machines import Cluster, Layout, Node, real_cluster
from tests.cluster.works import again

FOLLOWERS = 9
# How often the writers write, and how long is watched, in seconds.
WRITE_SECONDS = 0.02
WATCH_SECONDS = 6.0


class Room:
    """
    A room in which some write, and others follow by way of a load balancer.

    Args:
        room: its id.
    """

    def __init__(self, room: str) -> None:
        self.id = room
        # A follower -> the seqs that it has got, and the longest time between two of them.
        self.got: list[list[int]] = []
        self.pauses: list[float] = []
        # The longest time that a message waited for its acknowledgement.
        self.waited = 0.0

    async def follow(self, url: str, number: int) -> None:
        """Follow, and note the longest pause."""
        async with hubbub.connect(url, nickname=f"follower {number} {id(self)}") as session:
            await session.chat.join(self.id)
            async with session.follow(f"room/{self.id}", after=0) as events:
                last = anyio.current_time()
                async for event in events:
                    now = anyio.current_time()
                    self.pauses[number] = max(self.pauses[number], now - last)
                    self.got[number].append(event.seq)
                    last = now

    async def write(self, url: str, name: str) -> None:
        """Write to a node, and note the longest wait."""
        async with hubbub.connect(url, nickname=f"{name} {id(self)}") as session:
            await again(partial(session.chat.join, self.id))
            for number in count():
                began = anyio.current_time()
                await again(partial(session.chat.send, self.id, f"{number}", key=f"{number}"))
                self.waited = max(self.waited, anyio.current_time() - began)
                await anyio.sleep(WRITE_SECONDS)

    def faults(self) -> int:
        """Return how many followers have missed something, or got something twice."""
        return sum(got != list(range(1, len(got) + 1)) for got in self.got)


async def watched(
    cluster: Cluster, balancer: Balancer, victim: Node, act: Callable[[], Awaitable[None]]
) -> Room:
    """Let some write and follow while something happens to a node."""
    others = [node for node in cluster.nodes if node is not victim]
    async with AsyncExitStack() as stack:
        host = await stack.enter_async_context(hubbub.connect(others[0].url))
        room = Room((await host.chat.create_room("measured")).id)
        room.got = [[] for _ in range(FOLLOWERS)]
        room.pauses = [0.0] * FOLLOWERS
        tasks = await stack.enter_async_context(anyio.create_task_group())
        for node in others:
            tasks.start_soon(room.write, node.url, f"writer {node.port}")
        for number in range(FOLLOWERS):
            tasks.start_soon(room.follow, balancer.url, number)
        # Its own writers make sure that it holds something.
        stopping = Room(room.id)
        for number in range(3):
            tasks.start_soon(stopping.write, victim.url, f"own {number}")
        await anyio.sleep(1.5)
        room.waited, room.pauses = 0.0, [0.0] * FOLLOWERS
        await act()
        await anyio.sleep(WATCH_SECONDS)
        tasks.cancel_scope.cancel()
    return room


async def killed(cluster: Cluster, balancer: Balancer, victim: Node) -> Room:
    async def kill() -> None:
        victim.kill()

    room = await watched(cluster, balancer, victim, kill)
    await to_thread.run_sync(victim.start)
    await to_thread.run_sync(victim.wait_until_ready)
    return room


async def stopped(cluster: Cluster, balancer: Balancer, victim: Node) -> Room:
    async def stop() -> None:
        victim.stop()
        # A load balancer notices that by its health checks.
        balancer.take_down(victim.port)

    room = await watched(cluster, balancer, victim, stop)
    victim.cont()
    balancer.put_up(victim.port)
    await anyio.sleep(2)
    return room


async def moved(cluster: Cluster, victim: Node) -> float:
    """Kill the node that runs a match; return how long until another one asks a question."""
    other = next(node for node in cluster.nodes if node is not victim)
    async with (
        hubbub.connect(victim.url) as one,
        hubbub.connect(other.url) as two,
    ):
        players = [one.user.id, two.user.id]
        # It is not known at once everywhere who is there.
        start = partial(one.games.start_match, players, game="arithmetic", key="match")
        match = await again(start, (Conflict,))
        async with two.follow(match.stream, after=0) as events:
            await until_asked(events)
            victim.kill()
            began = anyio.current_time()
            await until_asked(events)
            took = anyio.current_time() - began
        await to_thread.run_sync(victim.start)
        await to_thread.run_sync(victim.wait_until_ready)
    return took


async def until_asked(events: AsyncIterator[Event]) -> None:
    async for event in events:
        if isinstance(event.data, Told):
            return


async def measure(cluster: Cluster, times: int) -> None:
    """Print the table."""
    async with balanced([node.port for node in cluster.nodes]) as balancer:
        kills, stops, moves = list[Room](), list[Room](), list[float]()
        for number in range(times):
            victim = cluster.nodes[number % len(cluster.nodes)]
            kills.append(await killed(cluster, balancer, victim))
            stops.append(await stopped(cluster, balancer, victim))
            moves.append(await moved(cluster, victim))
    print(f"{'in seconds':50} median  longest  (of {times})")
    line("clients of a killed node are away", [max(room.pauses) for room in kills])
    line("a killed node holds other nodes' writers up", [room.waited for room in kills])
    line("clients of a stopped node are away", [max(room.pauses) for room in stops])
    line("a stopped node holds other nodes' writers up", [room.waited for room in stops])
    line("a match of a killed node stands still", moves)
    faults = sum(room.faults() for room in [*kills, *stops])
    events = sum(len(got) for room in [*kills, *stops] for got in room.got)
    print(
        f"{faults} of {2 * times * FOLLOWERS} followers had a gap or a duplicate, {events} events"
    )


def line(what: str, seconds: Sequence[float]) -> None:
    print(f"{what:50} {median(seconds):6.2f}  {max(seconds):7.2f}")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="hubbub-cluster-") as folder:
        Path(folder).chmod(0o755)
        with real_cluster(Path(folder), Layout(bus="--notify" not in sys.argv)) as cluster:
            anyio.run(measure, cluster, int(sys.argv[1]) if len(sys.argv) > 1 else 5)
