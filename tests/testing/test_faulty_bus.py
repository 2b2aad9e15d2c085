from __future__ import annotations

from random import Random

import anyio

from hubbub.testing import FaultyBus, run_in_virtual_time
from tests.event_loop import Backend
from tests.journal.cluster.kit import Listener, listening


def through(bus: FaultyBus, backend: Backend, count: int = 200) -> list[list[int]]:
    """Send numbers over a bus; return the numbers that each of two hubs got, in their order."""

    async def send() -> list[Listener]:
        async with listening(bus, bus) as listeners:
            for n in range(count):
                bus.publish(0, b"%d" % n)
                await anyio.sleep(0.01)
            await anyio.sleep(10)
            return listeners

    return [[int(f) for f in one.frames] for one in run_in_virtual_time(send, backend=backend)]


def test_without_faults_all_come_in_order(backend: Backend) -> None:
    assert through(FaultyBus(Random(1)), backend) == [list(range(200))] * 2


def test_each_hub_loses_frames_of_its_own(backend: Backend) -> None:
    a, b = through(FaultyBus(Random(1), losses=0.5), backend)

    assert 60 < len(a) < 140
    assert a == sorted(set(a))
    assert a != b


def test_frames_are_repeated(backend: Backend) -> None:
    a, _ = through(FaultyBus(Random(1), repeats=0.5), backend)

    assert set(a) == set(range(200))
    assert 260 < len(a) < 340


def test_late_frames_are_overtaken_and_none_is_lost(backend: Backend) -> None:
    a, _ = through(FaultyBus(Random(1), delays=0.5), backend)

    assert sorted(a) == list(range(200))
    assert a != sorted(a)


def test_the_same_seed_does_the_same(backend: Backend) -> None:
    buses = [FaultyBus(Random(3), losses=0.2, repeats=0.2, delays=0.2) for _ in range(2)]

    # Which of the two hubs joins first is up to the event loop.
    assert sorted(through(buses[0], backend)) == sorted(through(buses[1], backend))


def test_nothing_comes_through_while_it_is_away(backend: Backend) -> None:
    bus = FaultyBus(Random(1))
    bus.away = True

    assert through(bus, backend) == [[], []]


def test_an_interruption_loses_what_is_on_its_way_and_tells_the_hubs(backend: Backend) -> None:
    async def interrupt() -> tuple[list[bytes], int]:
        bus = FaultyBus(Random(1), delays=1.0)
        async with listening(bus) as (a,):
            bus.publish(0, b"lost")
            bus.interrupt()
            bus.publish(0, b"kept")
            await anyio.sleep(1)
            return a.frames, a.losses

    assert run_in_virtual_time(interrupt, backend=backend) == ([b"kept"], 2)
