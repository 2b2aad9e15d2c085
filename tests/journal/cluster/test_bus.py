"""The suite of every bus, on real servers."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from types import ModuleType
from uuid import uuid4

import anyio
import anyio.lowlevel
import pytest

from hubbub.journal.cluster import notify_bus, valkey_bus
from hubbub.journal.cluster.bus import SHARDS, Bus
from hubbub.journal.cluster.bus_url import open_bus, open_notify_bus
from hubbub.journal.cluster.frames import MESSAGE_BYTES_MAX
from hubbub.journal.cluster.memory_bus import MEMORY_BUS_BYTES_MAX, MemoryBus
from hubbub.journal.cluster.notify_bus import NOTIFY_QUEUE_BYTES_MAX, SENT_FRAMES_MAX
from hubbub.journal.cluster.valkey_bus import BUS_QUEUE_BYTES_MAX, PIPELINE_FRAMES_MAX
from tests.journal.cluster.kit import listening

NewBus = Callable[[str], Bus]


@pytest.fixture(params=["memory", "notify", "valkey"])
def new_bus(request: pytest.FixtureRequest) -> NewBus:
    """Make a node's bus for a journal."""
    if request.param == "memory":
        buses: dict[str, Bus] = {}
        return lambda journal_id: buses.setdefault(journal_id, MemoryBus())
    if request.param == "valkey":
        return partial(open_bus, request.getfixturevalue("valkey").url)
    return partial(open_notify_bus, request.getfixturevalue("postgres").url)


@pytest.fixture
def journal_id() -> str:
    return uuid4().hex


async def test_every_node_gets_every_frame_its_own_too_in_order(
    new_bus: NewBus, journal_id: str
) -> None:
    count = 20 + max(PIPELINE_FRAMES_MAX, SENT_FRAMES_MAX)
    frames = [b"%d \x00\xff" % n for n in range(count)]
    async with listening(new_bus(journal_id), new_bus(journal_id)) as (a, b):
        for n, frame in enumerate(frames):
            a.bus.publish(0, frame)
            b.bus.publish(n % SHARDS, b"other %d" % n)
        for one in (a, b):
            await one.until(lambda one=one: len(one.frames) == 2 * count)  # type: ignore[misc]

        for one in (a, b):
            assert [frame for frame in one.frames if not frame.startswith(b"other")] == frames


async def test_the_largest_frame_comes_whole(new_bus: NewBus, journal_id: str) -> None:
    async with listening(new_bus(journal_id)) as (a,):
        largest = bytes(range(256)) * (a.bus.frame_bytes_max // 256)
        a.bus.publish(0, largest)
        a.bus.publish(0, b"small")
        await a.until(lambda: len(a.frames) == 2)

        assert a.frames == [largest, b"small"]
        assert a.bus.frame_bytes_max >= 2 * MESSAGE_BYTES_MAX


async def test_clusters_that_share_a_server_do_not_hear_one_another(
    new_bus: NewBus, journal_id: str
) -> None:
    async with listening(new_bus(journal_id), new_bus(uuid4().hex)) as (a, b):
        a.bus.publish(0, b"a's")
        b.bus.publish(0, b"b's")
        await a.until(lambda: a.frames != [])
        await b.until(lambda: b.frames != [])

        assert (a.frames, b.frames) == ([b"a's"], [b"b's"])
        assert (a.bus.trouble, b.bus.trouble) == ("", "")


async def test_a_queue_that_is_full_drops_frames_and_sends_the_others(
    new_bus: NewBus, journal_id: str
) -> None:
    async with listening(new_bus(journal_id)) as (a,):
        waiting = max(BUS_QUEUE_BYTES_MAX, MEMORY_BUS_BYTES_MAX, NOTIFY_QUEUE_BYTES_MAX)
        count = 2 + waiting // a.bus.frame_bytes_max
        for n in range(count):
            a.bus.publish(0, b"%08d" % n + b"x" * (a.bus.frame_bytes_max - 8))
        await a.until(lambda: a.frames != [])
        a.bus.publish(0, b"next")
        await a.until(lambda: b"next" in a.frames)

        numbers = [int(frame[:8]) for frame in a.frames[:-1]]
        assert numbers == list(range(len(numbers)))
        assert 0 < len(numbers) < count


@pytest.mark.parametrize(
    ("module", "server", "open_it"),
    [(notify_bus, "postgres", open_notify_bus), (valkey_bus, "valkey", open_bus)],
)
async def test_a_connection_without_heartbeats_is_opened_again(
    module: ModuleType,
    server: str,
    open_it: Callable[[str, str], Bus],
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "SILENT_SECONDS_MAX", 0.1)
    async with listening(open_it(request.getfixturevalue(server).url, "j")) as (a,):
        await a.until(lambda: a.losses == 2)


async def test_a_busy_node_takes_all_that_has_come_in_a_turn_of_its_event_loop(
    new_bus: NewBus, journal_id: str
) -> None:
    turn, turns = 0, list[int]()
    bus = new_bus(journal_id)

    async def count_turns() -> None:
        nonlocal turn
        while True:
            turn += 1
            await anyio.lowlevel.checkpoint()

    async with listening(bus) as (a,), anyio.create_task_group() as tasks:
        tasks.start_soon(count_turns)
        a.note = lambda: turns.append(turn)
        for n in range(300):
            bus.publish(0, b"%d" % n)
        await a.until(lambda: len(a.frames) == 300)
        tasks.cancel_scope.cancel()

    assert len(set(turns)) < 100
