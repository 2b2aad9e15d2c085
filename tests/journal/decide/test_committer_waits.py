from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import anyio
import pytest

from hubbub.journal.command import Call, Command
from hubbub.journal.decide.states import States
from hubbub.journal.decide.upkeep import IDLE_SECONDS
from hubbub.journal.event import Draft
from hubbub.journal.stores.contract import Batch
from hubbub.settings import Settings
from tests.journal.tally import (
    Added,
    SetClock,
    add,
    bar,
    doubt,
    memory_store,
    move,
    numbers,
    open_journal,
    together,
    total,
)
from tests.journal.troubled import CountingStore, GatedStore

# Decide again


@pytest.mark.parametrize(
    "decide_again",
    [
        add("tally/1", 1, cold=True),
        move("tally/1", "tally/2", 1),
        bar("tally/1", "bob"),
        doubt("tally/1", 1),
    ],
    ids=["a state", "two states", "the stream of a draft", "an event and what is about it"],
)
async def test_what_a_decision_did_not_name_is_loaded(decide_again: Command[int]) -> None:
    store = memory_store()
    async with open_journal(store) as journal:
        await journal.execute(add("tally/1", 5))
    async with open_journal(store) as journal:
        await journal.execute(decide_again)

        assert await journal.execute(total("tally/1")) >= 4


async def test_a_decision_that_runs_again_happens_once() -> None:
    runs = 0

    def decide(states: States) -> Sequence[Draft]:
        nonlocal runs
        runs += 1
        states.entry("tally/2")
        return [Draft("tally/1", Added(1))]

    store = CountingStore()
    async with open_journal(store) as journal:
        await journal.execute(Command("ann", decide, lambda states, events: None))

    assert runs > 1
    assert store.commits == [1]


async def test_a_cold_command_does_not_hold_up_the_others() -> None:
    store = GatedStore()
    async with open_journal(store) as journal, anyio.create_task_group() as tasks:
        await journal.execute(add("tally/1", 1))
        store.before_load.shut()
        tasks.start_soon(journal.execute, add("tally/2", 1, cold=True))
        await store.before_load.reached()

        with anyio.fail_after(5):
            assert await journal.execute(add("tally/1", 1)) == 2

        store.open_all()

    assert numbers(store.read("tally/2", 0, 10)) == [1]


async def test_a_result_may_ask_for_what_is_not_in_memory() -> None:
    store = memory_store()
    async with open_journal(store) as journal:
        await journal.execute(add("tally/1", 5))
    async with open_journal(store) as journal:
        assert await journal.execute(total("tally/1")) == 5


async def test_a_doubt_counts_once_for_each_user_however_many_come_at_once() -> None:
    async with open_journal(memory_store()) as journal:
        await journal.execute(add("tally/1", 5))
        doubts = [doubt("tally/1", 1, by=by) for by in ("ann", "bob", "ann", "bob", "ann")]
        outcomes = await together(journal, *doubts)

    assert outcomes == [1, 2, 2, 2, 2]


async def test_a_message_is_known_before_it_is_in_the_store() -> None:
    store = GatedStore()
    async with open_journal(store) as journal, anyio.create_task_group() as tasks:
        await journal.execute(add("tally/1", 1))
        store.before_commit.shut()
        tasks.start_soon(journal.execute, add("tally/1", 2))
        await store.before_commit.reached()
        doubted = Call(doubt("tally/1", 2))
        journal.submit(doubted)
        await anyio.wait_all_tasks_blocked()
        store.open_all()

    assert doubted.outcome() == 1


# Who stops waiting


async def test_who_stops_waiting_before_being_taken_has_asked_nothing() -> None:
    store = GatedStore()
    async with open_journal(store) as journal, anyio.create_task_group() as tasks:
        await journal.execute(add("tally/1", 1))
        store.before_commit.shut()
        tasks.start_soon(journal.execute, add("tally/1", 1))
        await store.before_commit.reached()
        async with anyio.create_task_group() as impatient:
            impatient.start_soon(journal.execute, add("tally/1", 1_000))
            await anyio.wait_all_tasks_blocked()
            impatient.cancel_scope.cancel()
        store.open_all()

    assert store.commits == [1, 1]


async def test_who_stops_waiting_after_being_taken_has_asked_all() -> None:
    store = GatedStore()
    async with open_journal(store) as journal:
        await journal.execute(add("tally/1", 5))
        store.before_commit.shut()
        async with anyio.create_task_group() as impatient:
            impatient.start_soon(journal.execute, move("tally/1", "tally/2", 3))
            await store.before_commit.reached()
            impatient.cancel_scope.cancel()
        store.open_all()

        assert await journal.execute(total("tally/1")) == 2
        assert await journal.execute(total("tally/2")) == 3


async def test_who_stops_waiting_while_it_is_loaded_has_asked_nothing() -> None:
    store = GatedStore()
    async with open_journal(store) as journal:
        store.before_load.shut()
        async with anyio.create_task_group() as impatient:
            impatient.start_soon(journal.execute, add("tally/1", 1_000))
            impatient.start_soon(journal.execute, add("tally/1", 1_000, cold=True))
            await store.before_load.reached()
            impatient.cancel_scope.cancel()
        store.open_all()

        assert await journal.execute(total("tally/1")) == 0
    assert store.commits == []


async def test_others_go_on_when_somebody_stops_waiting() -> None:
    store = GatedStore()
    async with open_journal(store) as journal, anyio.create_task_group() as tasks:
        store.before_load.shut()
        async with anyio.create_task_group() as impatient:
            for _ in range(5):
                tasks.start_soon(journal.execute, add("tally/1", 1))
                impatient.start_soon(journal.execute, add("tally/1", 1_000))
            await store.before_load.reached()
            await anyio.wait_all_tasks_blocked()
            impatient.cancel_scope.cancel()
        store.open_all()

    assert numbers(store.read("tally/1", 0, 99)) == [1, 2, 3, 4, 5]


class SlowIndex(CountingStore):
    """Its index has many parts to catch up, each of which takes a second."""

    def __init__(self, clock: SetClock) -> None:
        super().__init__()
        self.clock = clock
        self.parts = 1_000
        self.parts_before: list[int] = []

    def commit(self, batch: Batch) -> None:
        super().commit(batch)
        self.parts_before.append(self.parts)

    def catch_up(self) -> bool:
        self.clock.seconds += 1
        self.parts -= 1
        return self.parts > 0


async def test_a_command_waits_for_one_part_of_the_index_though_somebody_searches() -> None:
    clock = SetClock()
    store = SlowIndex(clock)
    async with (
        open_journal(store, Settings(clock=clock)) as journal,
        anyio.create_task_group() as tg,
    ):

        async def write() -> None:
            for _ in range(50):
                await journal.execute(add("tally/1", 1))

        tg.start_soon(write)
        await journal.searching(store.search, "tally/1", ["apple"], 99, 9)

    waited = [before - after for before, after in pairwise(store.parts_before)]
    assert len(waited) == 49
    assert max(waited) <= 2


async def test_between_two_parts_of_the_index_there_is_time_for_commands() -> None:
    clock = SetClock()
    store = SlowIndex(clock)
    async with open_journal(store, Settings(clock=clock)):
        await anyio.sleep(4 * IDLE_SECONDS)

    # It took a second, so the next one is some seconds later.
    assert store.parts == 999
