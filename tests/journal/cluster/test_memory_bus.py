from __future__ import annotations

from hubbub.journal.cluster.memory_bus import MEMORY_BUS_BYTES_MAX, MemoryBus
from tests.journal.cluster.kit import listening


async def test_hubs_with_one_bus_hear_one_another_until_they_are_closed() -> None:
    bus = MemoryBus()
    async with listening(bus, bus) as (a, b):
        bus.publish(0, b"hello")
        await a.until(lambda: a.frames == [b"hello"])
        await b.until(lambda: b.frames == [b"hello"])
    bus.publish(0, b"nobody is there")

    assert a.frames == b.frames == [b"hello"]


async def test_what_waits_for_a_hub_is_bounded() -> None:
    bus = MemoryBus()
    async with listening(bus) as (a,):
        for _ in range(3):
            bus.publish(0, b"x" * (MEMORY_BUS_BYTES_MAX // 2))
        bus.publish(0, b"")
        await a.until(lambda: b"" in a.frames)

        assert len(a.frames) == 3
