from __future__ import annotations

import gc
import weakref
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import anyio
import pytest

from hubbub.errors import Conflict, Invalid, NotFound, RateLimited
from hubbub.journal.command import Call, Command
from hubbub.journal.decide.states import States
from hubbub.journal.event import Draft, Event
from hubbub.journal.journal import Journal
from hubbub.settings import Settings
from tests.journal.tally import (
    CHARGES_MAX,
    NOON,
    STREAMS,
    Added,
    SetClock,
    add,
    doubt,
    memory_store,
    move,
    numbers,
    open_journal,
    together,
    total,
)
from tests.journal.troubled import CountingStore, GatedStore

# One after another


async def test_events_are_numbered_from_one_without_gaps() -> None:
    store = memory_store()
    async with open_journal(store) as journal:
        seqs = [await journal.execute(add("tally/1", 5)) for _ in range(3)]
        other = await journal.execute(add("tally/2", 5))

        assert seqs == [1, 2, 3]
        assert other == 1
        assert numbers(store.read("tally/1", 0, 10)) == [1, 2, 3]


async def test_an_event_says_when_by_whom_and_about_what() -> None:
    store, clock = memory_store(), SetClock()
    async with open_journal(store, Settings(clock=clock)) as journal:
        await journal.execute(add("tally/1", 5, by="bob"))
        await journal.execute(doubt("tally/1", 1, by="eve"))

    first, second = (STREAMS.decode(body) for body in store.read("tally/1", 0, 10))
    assert first == Event("tally/1", 1, NOON, "bob", None, Added(5))
    assert (second.by, second.ref) == ("eve", 1)


async def test_time_never_goes_back_in_a_stream() -> None:
    store, clock = memory_store(), SetClock()
    async with open_journal(store, Settings(clock=clock)) as journal:
        for hours in (0, 2, -5, 1, 3):
            clock.time = NOON + timedelta(hours=hours)
            await journal.execute(add("tally/1", 1))

    times = [STREAMS.decode(body).at for body in store.read("tally/1", 0, 10)]
    assert times == [NOON + timedelta(hours=hours) for hours in (0, 2, 2, 2, 3)]


async def test_time_does_not_go_back_when_the_journal_is_opened_again() -> None:
    store, clock = memory_store(), SetClock()
    async with open_journal(store, Settings(clock=clock)) as journal:
        await journal.execute(add("tally/1", 1))
    clock.time = NOON - timedelta(days=1)
    async with open_journal(store, Settings(clock=clock)) as journal:
        await journal.execute(add("tally/1", 1))

    assert STREAMS.decode(store.read("tally/1", 1, 1)[0]).at == NOON


async def test_a_command_of_several_streams_is_kept_whole() -> None:
    store = CountingStore()
    async with open_journal(store) as journal:
        await journal.execute(add("tally/1", 5))
        await journal.execute(move("tally/1", "tally/2", 3))

        assert store.commits == [1, 2]
        assert await journal.execute(total("tally/1")) == 2
        assert await journal.execute(total("tally/2")) == 3


async def test_a_command_may_write_several_events_into_one_stream() -> None:
    def decide(states: States) -> Sequence[Draft]:
        return [Draft("tally/1", Added(1)), Draft("tally/2", Added(2)), Draft("tally/1", Added(3))]

    def result(states: States, events: Sequence[Event]) -> list[tuple[str, int]]:
        return [(event.stream, event.seq) for event in events]

    async with open_journal(memory_store()) as journal:
        places = await journal.execute(Command("ann", decide, result))

    assert places == [("tally/1", 1), ("tally/2", 1), ("tally/1", 2)]


async def test_a_command_that_decides_nothing_writes_nothing() -> None:
    store = CountingStore()
    async with open_journal(store) as journal:
        await journal.execute(add("tally/1", 5))

        assert await journal.execute(total("tally/1")) == 5
        assert store.commits == [1]


async def test_decisions_see_what_was_decided_before_them() -> None:
    async with open_journal(memory_store()) as journal:
        await journal.execute(add("tally/1", 5))

        taken = await together(journal, *[move("tally/1", "tally/2", 3)] * 3)

        assert [type(outcome) for outcome in taken] == [int, Conflict, Conflict]
        assert await journal.execute(total("tally/1")) == 2


# Many at once


async def test_many_callers_share_a_few_commits() -> None:
    store = CountingStore()
    async with open_journal(store) as journal:
        commands = [add(f"tally/{number % 7}", 1) for number in range(500)]
        await together(journal, *commands)

    assert sum(store.commits) == 500
    assert len(store.commits) <= 5


async def test_while_a_batch_is_written_the_next_one_gathers() -> None:
    store = GatedStore()
    store.before_commit.shut()
    async with open_journal(store) as journal, anyio.create_task_group() as tasks:
        tasks.start_soon(journal.execute, add("tally/1", 1))
        await store.before_commit.reached()
        for _ in range(100):
            tasks.start_soon(journal.execute, add("tally/1", 1))
        await anyio.wait_all_tasks_blocked()
        store.open_all()

    assert store.commits == [1, 100]


async def test_a_batch_is_bounded() -> None:
    store, settings = CountingStore(), Settings(batch_calls_max=10)
    async with open_journal(store, settings) as journal:
        await journal.execute(add("tally/1", 1))
        await together(journal, *[add("tally/1", 1)] * 35)

    assert sum(store.commits) == 36
    assert max(store.commits) == 10


async def test_nobody_is_told_before_it_is_durable() -> None:
    store, told = GatedStore(), list[int]()

    async def tell(journal: Journal, command: Command[Any]) -> None:
        told.append(await journal.execute(command))

    async with open_journal(store) as journal, anyio.create_task_group() as tasks:
        await journal.execute(add("tally/1", 1))
        store.before_commit.shut()
        tasks.start_soon(tell, journal, add("tally/1", 5))
        await store.before_commit.reached()
        tasks.start_soon(tell, journal, total("tally/1"))
        await anyio.wait_all_tasks_blocked()

        assert told == []

        store.open_all()

    assert sorted(told) == [2, 6]


async def test_results_come_in_the_order_of_the_decisions() -> None:
    done: list[Call[int]] = []
    calls = [Call(add("tally/1", 1), on_done=done.append) for _ in range(20)]
    async with open_journal(memory_store()) as journal:
        for call in calls:
            journal.submit(call)
        await journal.execute(total("tally/1"))

    assert done == calls
    assert [call.outcome() for call in calls] == list(range(1, 21))


async def test_who_wants_to_know_is_told_after_each_batch() -> None:
    told: list[int] = []
    async with open_journal(memory_store()) as journal:
        await journal.execute(add("tally/1", 1))
        done: list[Call[int]] = []
        journal.after_batch.append(lambda: told.append(len(done)))
        calls = [Call(add("tally/1", 1), on_done=done.append) for _ in range(3)]
        for call in calls:
            journal.submit(call)
        await journal.execute(total("tally/1"))

    assert told == [3]


# Refusals


async def test_a_refusal_goes_to_its_caller_alone() -> None:
    async with open_journal(memory_store()) as journal:
        commands = [add("tally/1", amount) for amount in (1, 0, 2, 0)]
        outcomes = await together(journal, *commands)

        kinds = [type(outcome) for outcome in outcomes]
        assert kinds == [int, Invalid, int, Invalid]
        assert await journal.execute(total("tally/1")) == 3


async def test_a_refusal_costs_nothing() -> None:
    store = CountingStore()
    async with open_journal(store) as journal:
        for _ in range(CHARGES_MAX + 1):
            with pytest.raises(Invalid):
                await journal.execute(add("tally/1", 0, charged=True, key="key"))
        refused = list(store.commits)

        for _ in range(CHARGES_MAX):
            await journal.execute(add("tally/1", 1, charged=True))

    assert refused == []
    assert store.commits == [1] * CHARGES_MAX


async def test_who_is_too_fast_is_refused() -> None:
    clock = SetClock()
    async with open_journal(memory_store(), Settings(clock=clock)) as journal:
        commands = [add("tally/1", 1, charged=True)] * (CHARGES_MAX + 2)
        outcomes = await together(journal, *commands)
        clock.seconds = 60.0
        await journal.execute(add("tally/1", 1, charged=True))

    assert [type(outcome) for outcome in outcomes[CHARGES_MAX:]] == [RateLimited] * 2
    assert outcomes[:CHARGES_MAX] == [1, 2, 3]


async def test_refusals_do_not_pile_up_in_memory() -> None:
    refused: list[weakref.ref[Exception]] = []
    async with open_journal(memory_store()) as journal:
        for _ in range(20):
            try:
                await journal.execute(add("tally/1", 0))
            except Invalid as error:
                refused.append(weakref.ref(error))
        gc.collect()

    # The last one may be held still, by what was decided last.
    assert sum(error() is not None for error in refused) <= 2


async def test_a_refused_command_of_several_streams_leaves_all_of_them_alone() -> None:
    store = CountingStore()
    async with open_journal(store) as journal:
        with pytest.raises(Conflict):
            await journal.execute(move("tally/1", "tally/2", 3))

    assert store.commits == []


async def test_a_fault_in_a_decision_is_its_callers_alone() -> None:
    def decide(states: States) -> Sequence[Draft]:
        raise ZeroDivisionError

    async with open_journal(memory_store()) as journal:
        faulty = Command("ann", decide, lambda states, events: 0)
        outcomes = await together(journal, faulty, add("tally/1", 1))

        assert type(outcomes[0]) is ZeroDivisionError
        assert outcomes[1] == 1


async def test_an_event_for_a_stream_of_no_kind_is_refused_with_all_others() -> None:
    def decide(states: States) -> Sequence[Draft]:
        return [Draft("tally/1", Added(1)), Draft("match/1", Added(1))]

    store = CountingStore()
    async with open_journal(store) as journal:
        with pytest.raises(NotFound):
            await journal.execute(Command("ann", decide, lambda states, events: None))

        assert await journal.execute(total("tally/1")) == 0
        assert store.commits == []
