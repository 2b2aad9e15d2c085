"""Followers on one node get what other nodes write, whatever the bus loses."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import anyio
import pytest

from hubbub.errors import NotMember
from hubbub.journal.cluster.bus import Bus
from hubbub.journal.cluster.memory_bus import MemoryBus
from hubbub.journal.cluster.no_bus import NoBus
from hubbub.journal.event import Signal
from hubbub.journal.journal import Journal
from hubbub.journal.stores.memory import MemoryStore
from tests.journal.tally import MANY, add, bar, open_journal, publish, seqs, take, take_until, total

BUSES: dict[str, type[MemoryBus | NoBus]] = {"a bus": MemoryBus, "no bus": NoBus}


@asynccontextmanager
async def open_nodes(count: int, bus: Bus) -> AsyncIterator[list[Journal]]:
    store = MemoryStore(shared=True)
    async with AsyncExitStack() as stack:
        opened = [open_journal(store, bus=bus) for _ in range(count)]
        yield [await stack.enter_async_context(one) for one in opened]


@pytest.mark.parametrize("bus", BUSES)
async def test_a_follower_gets_what_another_node_writes(bus: str) -> None:
    async with (
        open_nodes(2, BUSES[bus]()) as (one, other),
        other.follow("ann", "tally/1", 0) as events,
    ):
        await one.execute(add("tally/1", 1))
        assert await take(events, 1) == [1]
        await other.execute(add("tally/1", 1))
        await one.execute(add("tally/1", 1))

        assert await take(events, 2) == [2, 3]


@pytest.mark.parametrize("bus", BUSES)
async def test_a_user_who_loses_access_on_another_node_gets_nothing_after_that(bus: str) -> None:
    async with (
        open_nodes(2, BUSES[bus]()) as (one, other),
        other.follow("bob", "tally/1", 0) as events,
    ):
        await one.execute(add("tally/1", 1))
        await one.execute(bar("tally/1", "bob"))
        await one.execute(add("tally/1", 1))

        assert await take_until(NotMember, events) == [1, 2]


async def test_a_follower_who_comes_when_its_node_is_behind_gets_everything() -> None:
    async with (
        open_nodes(2, NoBus()) as (one, other),
        other.follow("ann", "tally/1", 0) as early,
    ):
        await publish(one, 3)
        assert await other.execute(total("tally/1")) == 3
        async with other.follow("bob", "tally/1", 1) as late:
            assert await take(late, 2) == [2, 3]
        assert await take(early, 3) == [1, 2, 3]


async def test_a_follower_whose_node_is_far_behind_gets_everything() -> None:
    async with (
        open_nodes(2, NoBus()) as (one, other),
        other.follow("ann", "tally/1", 0) as events,
    ):
        await publish(one, MANY)

        assert await take(events, MANY) == seqs(1, MANY)


async def test_a_signal_reaches_followers_on_other_nodes() -> None:
    async with (
        open_nodes(2, MemoryBus()) as (one, other),
        other.signals("ann", "tally/1") as signals,
    ):
        with anyio.fail_after(5):
            one.signal(Signal("tally/1", "bob", "typing"))
            signal = await anext(signals)

    assert signal == Signal("tally/1", "bob", "typing")


@pytest.mark.parametrize("bus", BUSES)
async def test_a_feed_has_what_other_nodes_write(bus: str) -> None:
    async with open_nodes(2, BUSES[bus]()) as (one, other), other.feeds.open("") as feed:
        await one.execute(add("tally/1", 1))
        await other.execute(add("tally/2", 1))
        with anyio.fail_after(5):
            found = [(await anext(feed))[1].stream for _ in range(2)]

    assert found == ["tally/1", "tally/2"]
