"""The database and the bus that the nodes of a simulated cluster share."""

from __future__ import annotations

import anyio
import pytest

from hubbub.errors import StorageError
from hubbub.simulator.cluster import BusLine, Cluster
from hubbub.stores import Wanted
from hubbub.testing.simulation import Host, simulate
from hubbub.testing.virtual_time import EPOCH
from tests.event_loop import Backend
from tests.journal.cluster.kit import listening
from tests.simulator.test_machine import batch


async def test_all_nodes_see_one_database_and_its_clock() -> None:
    cluster = Cluster(1, 2)
    one, other = (machine.open() for machine in cluster.machines)
    cluster.store.commit(batch(1))
    cluster.machines[0].lose_power()

    with pytest.raises(StorageError):
        one.read("room/r", 0, 10)
    assert len(other.read("room/r", 0, 10)) == 1
    assert cluster.store.news(Wanted()).at >= EPOCH  # type: ignore[operator]


async def test_a_database_can_be_away_for_one_node_and_for_all() -> None:
    cluster = Cluster(1, 2)
    one, other = (machine.open() for machine in cluster.machines)
    cluster.machines[0].part(parted=True)
    with pytest.raises(StorageError):
        one.last_place()
    assert other.last_place() == 0

    cluster.part(parted=True)
    with pytest.raises(StorageError):
        other.last_place()
    cluster.part(parted=False)
    assert one.last_place() == 0


async def test_the_disk_of_the_database_is_full_for_all_nodes() -> None:
    cluster = Cluster(1, 2)
    stores = [machine.open() for machine in cluster.machines]
    cluster.fill(full=True)
    for store in stores:
        with pytest.raises(StorageError, match="full"):
            store.commit(batch(1))

    cluster.fill(full=False)
    stores[0].commit(batch(1))


def sent(backend: Backend, change: str) -> list[list[bytes]]:
    """Send a frame from one line, while another is away or stands still; and one more later."""

    async def send() -> list[list[bytes]]:
        cluster = Cluster(1, 2)
        one, other = cluster.lines
        async with listening(one, other) as listeners:
            if change == "away":
                other.away = True
            else:
                other.still_until = anyio.current_time() + 5
            one.publish(0, b"first")
            await anyio.sleep(10)
            before = list(listeners[1].frames)
            other.away = False
            one.publish(0, b"then")
            await anyio.sleep(1)
            return [before, listeners[1].frames, listeners[0].frames]

    return simulate(send, backend=backend, seed=1)


def test_a_line_that_is_away_gets_nothing(backend: Backend) -> None:
    assert sent(backend, "away") == [[], [b"then"], [b"first", b"then"]]


def test_a_line_of_a_node_that_stands_still_gets_everything_later(backend: Backend) -> None:
    assert sent(backend, "still") == [[], [b"first", b"then"], [b"first", b"then"]]


def test_a_lossy_bus_loses_and_repeats(backend: Backend) -> None:
    async def send() -> list[bytes]:
        cluster = Cluster(1, 1)
        cluster.be_lossy(lossy=True)
        async with listening(*cluster.lines) as listeners:
            for number in range(50):
                cluster.lines[0].publish(0, b"%d" % number)
            await anyio.sleep(10)
            return listeners[0].frames

    frames = simulate(send, backend=backend, seed=1)
    assert len(set(frames)) < 50
    assert len(set(frames)) < len(frames)


def test_nobody_hears_what_the_dead_say(backend: Backend) -> None:
    async def crash() -> list[bytes]:
        line = Cluster(1, 1).lines[0]
        host = Host("h")

        async def live(host: Host) -> None:
            try:
                await anyio.sleep_forever()
            finally:
                line.publish(0, b"from the dead")

        async with listening(line) as listeners:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(host.run, live)
                await anyio.sleep(1)
                host.crash()
                await anyio.sleep(1)
                host.stop()
            return listeners[0].frames

    assert simulate(crash, backend=backend, seed=1) == []
    assert BusLine.trouble == ""
