"""Whatever goes wrong on a network, a stream keeps its promises."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from random import Random

import anyio
import pytest

from hubbub.testing import run_in_virtual_time
from hubbub.testing.simulation.host import Host
from hubbub.testing.simulation.network import Network, NetworkStats
from hubbub.testing.simulation.stream import NetworkStream
from tests.event_loop import Backend
from tests.testing.simulation.world import PORT

SECONDS = 400
HOSTS = [f"client {number}" for number in range(5)]


class Conversations:
    """Clients that send numbered lines, and a server that checks and echoes them."""

    def __init__(self, seed: int) -> None:
        self.random = Random(f"faults {seed}")
        self.network = Network(Random(f"network {seed}"), split=0.3, window=200)
        self.server = Host("server", self.network)
        self.echoed = 0

    async def serve(self, host: Host) -> None:
        await host.listen(PORT).serve(self.echo)

    async def echo(self, stream: NetworkStream) -> None:
        with suppress(anyio.BrokenResourceError):
            async with stream:
                async for data in stream:
                    await stream.send(data)

    async def client(self, host: Host) -> None:
        random = Random(host.name)
        while True:
            try:
                with anyio.fail_after(20):
                    async with await host.connect("server", PORT) as stream:
                        await self.talk(stream, random)
            except (OSError, anyio.BrokenResourceError, anyio.EndOfStream):
                await anyio.sleep(random.random())

    async def talk(self, stream: NetworkStream, random: Random) -> None:
        for number in range(random.randrange(30)):
            line = f"{stream.local} says {number};".encode() * random.randrange(1, 5)
            await anyio.sleep(random.random())
            await stream.send(line)
            answer = b""
            while len(answer) < len(line):
                answer += await stream.receive(random.randrange(1, 100))
            assert answer == line
            self.echoed += 1

    async def spoil(self) -> None:
        """Make a fault every three seconds or so."""
        while True:
            await anyio.sleep(self.random.expovariate(1 / 3))
            fault = self.random.choice(self.faults())
            fault(self.random.choice(HOSTS))

    def faults(self) -> list[Callable[[str], object]]:
        net = self.network
        return [
            lambda host: net.partition(host, "server"),
            lambda host: net.hold("server", host),
            lambda host: net.slow(host, "server", 500),
            lambda host: net.cut(host, "server"),
            lambda host: net.half_open(host, "server"),
            lambda host: net.half_open("server", host),
            lambda _: net.cut_host("server"),
            lambda _: self.server.restart(),
            lambda _: self.server.crash(),
            lambda _: self.server.crash(silently=True),
            *[lambda _: net.heal(), lambda _: self.server.restart()] * 2,
        ]

    async def run(self) -> tuple[int, NetworkStats]:
        with anyio.move_on_after(SECONDS):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self.server.run, self.serve)
                for name in HOSTS:
                    tasks.start_soon(Host(name, self.network).run, self.client)
                await self.server.up()
                tasks.start_soon(self.spoil)
        assert self.network.links == []
        return self.echoed, self.network.stats


def run(seed: int, backend: Backend) -> tuple[int, NetworkStats]:
    test: Callable[[], Awaitable[tuple[int, NetworkStats]]] = Conversations(seed).run
    return run_in_virtual_time(test, backend=backend)


@pytest.mark.parametrize("seed", range(2))
def test_a_stream_delivers_what_was_sent_or_breaks(seed: int, backend: Backend) -> None:
    echoed, stats = run(seed, backend)

    assert echoed > 300
    assert stats.bytes_sent == stats.bytes_received + stats.bytes_lost
    assert 0 not in {
        *(stats.connections, stats.refused, stats.bytes_lost, stats.partitions, stats.holds),
        *(stats.heals, stats.cuts, stats.half_open, stats.slowed),
    }
    assert stats.handlers_failed == 0
