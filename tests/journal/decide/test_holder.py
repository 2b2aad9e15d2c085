"""Journals of several nodes on one store: each decides on the newest state, its own or not."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta

import anyio
import pytest

from hubbub.errors import Conflict, KeyReused, RateLimited, StorageError
from hubbub.journal.command import Command
from hubbub.journal.decide.cache_entries import SNAPSHOT_EVENTS_MIN
from hubbub.journal.decide.holder import HELD_CALLS_MAX
from hubbub.journal.decide.states import States
from hubbub.journal.event import Draft
from hubbub.journal.journal import Journal
from hubbub.journal.stores.contract import Snapshot
from hubbub.journal.stores.memory import MemoryStore
from hubbub.journal.stores.memory_holds import HOLD_SECONDS_MAX
from hubbub.journal.stores.sharing import NEWS_EVENTS_MAX, Wanted
from hubbub.settings import Settings
from tests.journal.tally import (
    CHARGES_MAX,
    Added,
    SetClock,
    Tally,
    add,
    doubt,
    first_seq,
    move,
    numbers,
    open_journal,
    publish,
    seqs,
    together,
    total,
)

SECOND = timedelta(seconds=1)


def shared_store(clock: SetClock | None = None) -> MemoryStore:
    return MemoryStore(shared=True, clock=clock)


@asynccontextmanager
async def nodes(
    count: int, store: MemoryStore, settings: Settings | None = None
) -> AsyncIterator[list[Journal]]:
    async with AsyncExitStack() as stack:
        opened = [open_journal(store, settings) for _ in range(count)]
        yield [await stack.enter_async_context(one) for one in opened]


async def test_what_one_node_writes_the_other_reads_at_once() -> None:
    async with nodes(2, shared_store()) as (one, other):
        assert await other.execute(total("tally/1")) == 0
        await one.execute(add("tally/1", 5))

        assert await other.execute(total("tally/1")) == 5


async def test_nodes_write_to_one_stream_by_turns() -> None:
    store = shared_store()
    async with nodes(2, store) as (one, other):
        for _ in range(3):
            await one.execute(add("tally/1", 1))
            await other.execute(add("tally/1", 1))

        assert numbers(store.read("tally/1", 0, 100)) == seqs(1, 6)
        assert await one.execute(total("tally/1")) == 6


async def test_nodes_write_to_one_stream_at_the_same_time() -> None:
    store = shared_store()
    async with nodes(3, store) as opened, anyio.create_task_group() as tasks:
        for node in opened:
            tasks.start_soon(publish, node, 100)

    assert numbers(store.read("tally/1", 0, 1000)) == seqs(1, 300)


async def test_a_decision_that_finds_its_streams_itself_is_made_on_the_newest_state() -> None:
    async with nodes(2, shared_store()) as (one, other):
        await one.execute(add("tally/1", 5))
        assert await other.execute(total("tally/1")) == 5
        await one.execute(move("tally/1", "tally/2", 4))

        with pytest.raises(Conflict):
            await other.execute(move("tally/1", "tally/2", 4))
        assert await other.execute(total("tally/2")) == 4


async def test_a_thread_has_what_other_nodes_wrote_about_its_message() -> None:
    async with nodes(2, shared_store()) as (one, other):
        await one.execute(add("tally/1", 1))
        assert await other.execute(doubt("tally/1", 1, by="bob")) == 1
        assert await one.execute(doubt("tally/1", 1, by="ann")) == 2

        assert await other.execute(doubt("tally/1", 1, by="ann")) == 2
        assert await other.execute(doubt("tally/1", 1, by="cid")) == 3


async def test_a_thread_is_read_again_when_its_stream_was_not_in_memory() -> None:
    async with nodes(2, shared_store(), Settings(states_max=2)) as (one, other):
        await one.execute(add("tally/1", 1))
        await other.execute(doubt("tally/1", 1, by="bob"))
        entries = other._states._entries
        # The thread stays, and its stream goes.
        entries.pop("tally/1")
        await one.execute(doubt("tally/1", 1, by="ann"))

        assert await other.execute(doubt("tally/1", 1, by="ann")) == 2


async def test_a_key_that_another_node_has_used_is_known() -> None:
    store = shared_store()
    async with nodes(2, store) as (one, other):
        assert await one.execute(add("tally/1", 1, key="k")) == 1
        assert await other.execute(add("tally/1", 1, key="k")) == 1
        with pytest.raises(KeyReused):
            await other.execute(add("tally/1", 2, key="k"))

    assert len(store.read("tally/1", 0, 100)) == 1


async def test_nodes_that_use_one_key_at_the_same_time_write_once() -> None:
    store = shared_store()
    async with nodes(3, store) as opened:
        places = list[int]()

        async def use(node: Journal) -> None:
            places.append(await node.execute(add("tally/1", 1, key="k")))

        async with anyio.create_task_group() as tasks:
            for node in opened:
                tasks.start_soon(use, node)

    assert places == [1, 1, 1]
    assert len(store.read("tally/1", 0, 100)) == 1


async def test_nodes_charge_one_limit_together() -> None:
    clock = SetClock()
    async with nodes(2, shared_store(clock)) as (one, other):
        for node in (one, other, one):
            await node.execute(add("tally/1", 1, charged=True))
        with pytest.raises(RateLimited):
            await other.execute(add("tally/1", 1, charged=True))
        clock.time += 61 * SECOND
        await other.execute(add("tally/1", 1, charged=True))

        assert await one.execute(total("tally/1")) == CHARGES_MAX + 1


async def test_a_limit_that_a_command_names_needs_no_second_run() -> None:
    runs = 0

    def counted(command: Command[int]) -> Command[int]:
        decide = command.decide

        def count(states: object) -> object:
            nonlocal runs
            runs += 1
            return decide(states)  # type: ignore[arg-type]

        command.decide = count  # type: ignore[assignment]
        return command

    async with nodes(1, shared_store()) as (node,):
        await node.execute(total("tally/1"))
        command = counted(add("tally/1", 1, charged=True))
        command.charges = [("numbers", "ann")]
        await node.execute(command)

    assert runs == 1


async def test_events_have_the_time_of_the_store() -> None:
    clock = SetClock()
    store = shared_store(clock)
    async with nodes(1, store) as (node,):
        await node.execute(add("tally/1", 1))
        [body] = store.read("tally/1", 0, 1)

        assert node.streams.decode(body).at == clock.time


async def test_a_node_that_keeps_its_locks_delays_others_for_a_bounded_time() -> None:
    clock = SetClock()
    store = shared_store(clock)
    async with nodes(1, store) as (node,), anyio.create_task_group() as tasks:
        await node.execute(add("tally/1", 1))
        stopped = store.hold(Wanted({"tally/1": 1}))
        tasks.start_soon(node.execute, add("tally/1", 1))
        await anyio.sleep(0.02)
        assert len(store.read("tally/1", 0, 10)) == 1
        clock.seconds += HOLD_SECONDS_MAX
        with anyio.fail_after(5):
            await node.execute(total("tally/1"))

    assert len(store.read("tally/1", 0, 10)) == 2
    assert stopped.names


def copy(source: str, target: str) -> Command[int]:
    """Write to one stream what another has, which is only looked at."""

    def decide(states: States) -> Sequence[Draft]:
        return (Draft(target, Added(states.of(Tally, source).total)),)

    return Command("ann", decide, first_seq, reads=(target,), looks=(source,))


async def test_a_stream_that_is_only_looked_at_is_fresh_and_nobody_waits_for_it() -> None:
    store = shared_store(SetClock())
    async with nodes(2, store) as (one, other):
        assert await other.execute(copy("tally/1", "tally/2")) == 1
        await one.execute(add("tally/1", 5))
        store.hold(Wanted({"tally/1": 1}))
        with anyio.fail_after(5):
            await other.execute(copy("tally/1", "tally/2"))

        assert await other.execute(total("tally/2")) == 5


async def test_a_store_that_is_held_for_ever_refuses() -> None:
    clock = SetClock()
    store = shared_store(clock)
    settings = Settings(commit_seconds_max=0.05)
    async with nodes(1, store, settings) as (node,):
        await node.execute(add("tally/1", 1))
        store.hold(Wanted({"tally/1": 1}))

        with pytest.raises(StorageError, match="Other servers"):
            await node.execute(add("tally/1", 1))


async def test_a_state_that_is_far_behind_is_loaded_again() -> None:
    store = shared_store()
    async with nodes(2, store) as (one, other):
        assert await other.execute(total("tally/1")) == 0
        for _ in range(NEWS_EVENTS_MAX // HELD_CALLS_MAX + 1):
            await together(one, *[add("tally/1", 1)] * HELD_CALLS_MAX)

        assert await other.execute(total("tally/1")) > NEWS_EVENTS_MAX


async def test_callers_do_not_wait_for_snapshots_which_are_written_all_the_same() -> None:
    told = threading.Event()

    class Slow(MemoryStore):
        blocking = True

        def keep(self, snapshots: Sequence[Snapshot]) -> None:
            assert told.wait(10)
            super().keep(snapshots)

    store = Slow(shared=True)
    async with nodes(1, store) as (node,):
        for _ in range(2):
            await publish(node, SNAPSHOT_EVENTS_MIN)
        told.set()
        await node.execute(total("tally/1"))

    assert store.load("tally/1").snapshot is not None
