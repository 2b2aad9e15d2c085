"""A bus on a cluster of real servers, and on what real sentinels watch, as servers die."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from itertools import count

import anyio
import pytest
from anyio import to_thread
from coredis.connection import TCPLocation

from hubbub.journal.cluster.bus import SHARDS
from hubbub.journal.cluster.bus_url import open_bus, read_bus_url
from hubbub.journal.cluster.frames import shard_of
from hubbub.journal.cluster.valkey_servers import CLUSTER_SLOTS, ValkeyServers, slot_of
from hubbub.local_servers import ServerProcess
from tests.journal.cluster.kit import Member, SharedRecords, listening, until
from tests.journal.cluster.valkey_kit import (
    Watched,
    ask,
    node_id,
    password,
    valkey_cluster,
    watched,
)

# Servers elect quickly, but sometimes more than once.
pytestmark = pytest.mark.timeout(60)
BACK_SECONDS_MAX = 25

CHANNELS = [f"hubbub/j/{shard}" for shard in range(SHARDS)]
# Each shard has some of them.
STREAMS = [f"room/{n}" for n in range(40)]


@pytest.fixture
def three() -> Iterator[list[ServerProcess]]:
    with valkey_cluster() as servers:
        yield servers


@pytest.fixture
def three_and_replica() -> Iterator[list[ServerProcess]]:
    with valkey_cluster(replicated=True) as servers:
        yield servers


@pytest.fixture(params=["", "secret"])
def sentinels(request: pytest.FixtureRequest) -> Iterator[Watched]:
    with watched(sentinel_password=request.param) as running:
        yield running


async def test_in_a_cluster_of_three_the_frames_of_all_channels_pass(
    three: list[ServerProcess],
) -> None:
    found = await ValkeyServers(read_bus_url(url_of(three[:1]))).find(CHANNELS)
    buses = open_bus(url_of(three[:1]), "j"), open_bus(url_of(three[1:]), "j")
    async with listening(*buses) as (a, b):
        for n in range(20 * SHARDS):
            a.bus.publish(n % SHARDS, b"%d" % n)
        await b.until(lambda: len(b.frames) == 20 * SHARDS)

    assert {place.port for place in found.values()} == {one.port for one in three}
    for shard in range(SHARDS):
        numbers = [int(frame) for frame in b.frames if int(frame) % SHARDS == shard]
        assert numbers == list(range(shard, 20 * SHARDS, SHARDS))
    assert (a.losses, b.losses) == (1, 1)


async def test_a_bus_goes_on_when_a_replica_takes_over_from_the_only_host_of_its_url(
    three_and_replica: list[ServerProcess], caplog: pytest.LogCaptureFixture
) -> None:
    async with troubled(url_of(three_and_replica[:1]), caplog) as members:
        await to_thread.run_sync(three_and_replica[0].kill)
        await until(lambda: all(one.relay.away for one in members))


async def test_a_bus_goes_on_when_another_takes_the_slots_of_a_server_that_died(
    three: list[ServerProcess], caplog: pytest.LogCaptureFixture
) -> None:
    async with troubled(url_of(three), caplog) as members:
        await to_thread.run_sync(three[0].kill)
        await until(lambda: all(one.relay.away for one in members))
        await to_thread.run_sync(take_slots, three[1], three[2])


async def test_a_bus_follows_slots_to_another_server(
    three: list[ServerProcess], caplog: pytest.LogCaptureFixture
) -> None:
    async with troubled(url_of(three), caplog):
        await to_thread.run_sync(move_slots, three[0], three[1])


async def test_a_bus_finds_the_replica_that_sentinels_promote(
    sentinels: Watched, caplog: pytest.LogCaptureFixture
) -> None:
    async with troubled(sentinels.url, caplog) as members:
        await to_thread.run_sync(sentinels.sentinels[0].kill)
        await to_thread.run_sync(sentinels.primary.kill)
        await until(lambda: all(one.relay.away for one in members))

    found = await ValkeyServers(read_bus_url(sentinels.url)).find(CHANNELS)
    assert set(found.values()) == {TCPLocation("127.0.0.1", sentinels.replica.port)}


@asynccontextmanager
async def troubled(
    url: str, caplog: pytest.LogCaptureFixture
) -> AsyncGenerator[tuple[Member, Member]]:
    """
    Let a node write and another follow while servers are in trouble; all must be well after it.

    Each node logs once that the bus is away, and no event comes twice.
    """
    store = SharedRecords()
    a, b = (Member(name, store, open_bus(url, "j")) for name in "ab")
    b.follow(*STREAMS)
    async with anyio.create_task_group() as tasks:
        for work in (a.run, b.run, partial(write, a)):
            tasks.start_soon(work)
        await until(partial(hears_all_shards, b, 0))
        caplog.set_level(logging.WARNING)
        yield a, b
        await until(lambda: not a.relay.away and not b.relay.away, BACK_SECONDS_MAX)
        await until(partial(hears_all_shards, b, len(b.heard)))
        await until(lambda: has_all(b, store))
        # A short trouble may have been noticed only now.
        await until(lambda: not a.relay.away and not b.relay.away, BACK_SECONDS_MAX)
        tasks.cancel_scope.cancel()

    assert len({(name, first) for name, first, _ in b.heard}) == len(b.heard)
    away = sum("The bus is away" in line for line in caplog.messages)
    assert away <= 2
    assert sum("The bus is back" in line for line in caplog.messages) == away


async def write(member: Member) -> None:
    for n in count():
        member.write(STREAMS[n % len(STREAMS)], b"%d" % n)
        await anyio.sleep(0.005)


def hears_all_shards(member: Member, since: int) -> bool:
    return len({shard_of(name) for name, _, _ in member.heard[since:]}) == SHARDS


def has_all(member: Member, store: SharedRecords) -> bool:
    """Return whether a node has all events, but perhaps the last of each stream."""
    return all(
        had == store.written[name][: len(had)] and len(had) >= len(store.written[name]) - 1
        for name, had in member.had.items()
    )


def url_of(servers: Sequence[ServerProcess]) -> str:
    hosts = ",".join(f"127.0.0.1:{one.port}" for one in servers)
    return f"redis+cluster://:{password(servers[0])}@{hosts}"


def move_slots(source: ServerProcess, target: ServerProcess) -> None:
    """Move the channels' slots that a server has, as an operator's tool does."""
    old, new = node_id(source), node_id(target)
    for slot in {slot_of(channel) for channel in CHANNELS}:
        if slot < CLUSTER_SLOTS // 3:
            taken = f"CLUSTER SETSLOT {slot} NODE {new}"
            ask(target, f"CLUSTER SETSLOT {slot} IMPORTING {old}", taken)
            ask(source, taken)


def take_slots(taker: ServerProcess, other: ServerProcess) -> None:
    """Give the slots of the first server, which is dead, to another."""
    slots = f"0 {CLUSTER_SLOTS // 3 - 1}"
    for one in (taker, other):
        ask(one, f"CLUSTER DELSLOTSRANGE {slots}")
    ask(taker, f"CLUSTER ADDSLOTSRANGE {slots}", "CLUSTER BUMPEPOCH")
