from __future__ import annotations

import tracemalloc
from collections.abc import Sequence

import anyio
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubbub.errors import Invalid, NotFound, StorageError
from hubbub.journal.command import Command
from hubbub.journal.decide.cache_entries import SNAPSHOT_EVENTS_MIN
from hubbub.journal.decide.loader import _freed
from hubbub.journal.decide.states import EMPTY_STATES_MAX, States
from hubbub.journal.event import Draft, Event
from hubbub.journal.stores.contract import Batch, Record, Store
from hubbub.journal.verify import verify
from hubbub.settings import Settings
from tests.journal.tally import (
    STREAMS,
    Added,
    SetClock,
    Tally,
    add,
    doubt,
    memory_store,
    move,
    open_journal,
    publish,
    record,
    together,
    total,
)
from tests.journal.troubled import CountingStore, GatedStore, PatchyStore

PART_BYTES = 100_000

# What is loaded


async def test_a_stream_is_loaded_once_for_all_who_ask() -> None:
    store = CountingStore()
    async with open_journal(store) as journal:
        await together(journal, *[add("tally/1", 1)] * 10, *[add("tally/1", 1, cold=True)] * 10)
        await journal.execute(total("tally/1"))

    assert store.loads == ["tally/1"]


async def test_all_who_wait_are_loaded_together() -> None:
    store = GatedStore()
    async with open_journal(store) as journal, anyio.create_task_group() as tasks:
        store.before_load.shut()
        tasks.start_soon(journal.execute, add("tally/0", 1))
        await store.before_load.reached()
        for number in range(50):
            tasks.start_soon(journal.execute, add(f"tally/{number % 10}", 1))
        await anyio.wait_all_tasks_blocked()
        store.open_all()

    assert sorted(store.loads) == [f"tally/{number}" for number in range(10)]
    assert len(store.commits) <= 2


async def test_a_long_stream_is_folded_from_a_snapshot_and_what_came_after() -> None:
    store = memory_store()
    async with open_journal(store) as journal:
        for _ in range(SNAPSHOT_EVENTS_MIN + 44):
            await journal.execute(add("tally/1", 1))
    loaded = store.load("tally/1")
    async with open_journal(store) as journal:
        count = await journal.execute(total("tally/1"))

    assert loaded.snapshot is not None
    assert loaded.snapshot.seq == SNAPSHOT_EVENTS_MIN + 1
    assert len(loaded.bodies) == 43
    assert count == SNAPSHOT_EVENTS_MIN + 44


@pytest.mark.parametrize(("before", "after"), [(0, 1), (1, 2), (2, 0), (10**9, 1)])
async def test_a_snapshot_of_another_version_is_passed_over_and_made_anew(
    monkeypatch: pytest.MonkeyPatch, before: int, after: int
) -> None:
    store, count = memory_store(), SNAPSHOT_EVENTS_MIN + 44
    monkeypatch.setattr(Tally, "version", before)
    async with open_journal(store) as journal:
        for _ in range(count):
            await journal.execute(add("tally/1", 1))
    monkeypatch.setattr(Tally, "version", after)
    # A state that folds into something else than before.
    monkeypatch.setattr(Tally, "apply", twice)
    async with open_journal(store) as journal:
        doubled = await journal.execute(total("tally/1"))
        await journal.execute(add("tally/1", 1))
        snapshot = store.load("tally/1").snapshot

    assert doubled == 2 * count
    assert snapshot is not None
    assert STREAMS.is_current("tally/1", snapshot)
    assert verify(store, STREAMS).faults == []


def twice(self: Tally, event: Event) -> None:
    match event.data:
        case Added(amount):
            self.total += 2 * amount


def test_the_parts_of_a_snapshot_are_freed_one_by_one() -> None:
    tracemalloc.start()
    try:
        parts = [bytes(PART_BYTES) for _ in range(10)]
        freed = _freed(parts)
        del parts
        left = []
        for part in freed:
            assert len(part) == PART_BYTES
            del part
            left.append(round(tracemalloc.get_traced_memory()[0] / PART_BYTES))
    finally:
        tracemalloc.stop()

    assert left == list(range(9, -1, -1))


async def test_the_tail_to_fold_stays_short_however_long_the_stream() -> None:
    store = memory_store()
    for _ in range(4):
        async with open_journal(store) as journal:
            await publish(journal, SNAPSHOT_EVENTS_MIN - 6)
            await publish(journal, 10)

    assert len(store.load("tally/1").bodies) <= SNAPSHOT_EVENTS_MIN


async def test_a_message_is_loaded_with_all_that_is_about_it() -> None:
    store = memory_store()
    async with open_journal(store) as journal:
        await publish(journal, 2)
        await together(journal, *[doubt("tally/1", 1, by=by) for by in ("ann", "bob")])
        await journal.execute(doubt("tally/1", 2))
    async with open_journal(store) as journal:
        assert await journal.execute(doubt("tally/1", 1, by="eve")) == 3
        assert await journal.execute(doubt("tally/1", 1, by="bob")) == 3


# What is new


def refuse(states: States) -> Sequence[Draft]:
    raise Invalid("This is refused.")


def create(stream: str) -> Command[int]:
    command = add(stream, 1, cold=True)
    return msgspec.structs.replace(command, creates=(stream,))


async def test_the_store_is_not_asked_for_a_stream_that_a_command_creates() -> None:
    store = CountingStore()
    async with open_journal(store) as journal:
        await journal.execute(create("tally/1"))

        assert await journal.execute(total("tally/1")) == 1
    assert store.loads == []


async def test_a_stream_that_was_there_after_all_keeps_its_events() -> None:
    store = memory_store()
    async with open_journal(store) as journal:
        await journal.execute(add("tally/1", 5))
    async with open_journal(store) as journal:
        assert await journal.execute(create("tally/1")) == 2
        assert await journal.execute(total("tally/1")) == 6


async def test_a_command_cannot_create_what_is_not_a_stream() -> None:
    async with open_journal(memory_store()) as journal:
        with pytest.raises(NotFound):
            await journal.execute(create("unheard-of/1"))


async def test_streams_of_refused_commands_do_not_stay_in_memory() -> None:
    async with open_journal(memory_store()) as journal:
        for number in range(EMPTY_STATES_MAX + 500):
            refused = msgspec.structs.replace(create(f"tally/{number}"), decide=refuse)
            with pytest.raises(Invalid):
                await journal.execute(refused)

        kept = [
            number for number in range(EMPTY_STATES_MAX + 500) if journal.peek(f"tally/{number}")
        ]
    assert len(kept) <= EMPTY_STATES_MAX


# What cannot be loaded


async def test_what_cannot_be_loaded_fails_those_who_asked_for_it_alone() -> None:
    store = PatchyStore()
    store.unreadable.add("tally/2")
    async with open_journal(store) as journal:
        commands = [add("tally/1", 1), add("tally/2", 1), move("tally/1", "tally/2", 0)]
        outcomes = await together(journal, *commands, add("tally/1", 1))

    assert [type(outcome) for outcome in outcomes] == [int, StorageError, StorageError, int]


async def test_what_could_not_be_loaded_is_tried_again() -> None:
    store = PatchyStore()
    store.unreadable.add("tally/1")
    async with open_journal(store) as journal:
        with pytest.raises(StorageError):
            await journal.execute(add("tally/1", 1))
        store.unreadable.clear()

        assert await journal.execute(add("tally/1", 1)) == 1


@pytest.mark.parametrize(
    "body",
    [b"", b"{}", b"\xff", record("tally/1", 1, "unheard-of").body, b'{"stream":5}'],
    ids=["nothing", "empty", "no text", "an unknown type", "a wrong type"],
)
async def test_what_cannot_be_read_fails_those_who_asked_for_it_alone(body: bytes) -> None:
    store = memory_store()
    store.commit(Batch(records=[Record("tally/1", 1, "added", "ann", None, body)]))
    async with open_journal(store) as journal:
        outcomes = await together(journal, add("tally/1", 1), add("tally/2", 1))

        assert isinstance(outcomes[0], Exception)
        assert outcomes[1] == 1
        assert await journal.execute(add("tally/2", 1)) == 2


# A small memory


async def test_what_nobody_needs_any_more_goes() -> None:
    store = CountingStore()
    async with open_journal(store, Settings(states_max=1)) as journal:
        for _ in range(3):
            await journal.execute(add("tally/1", 1))
            with pytest.raises(Invalid):
                await journal.execute(add("tally/1", 0))
            with anyio.move_on_after(0):
                await journal.execute(add("tally/1", 1))
            await journal.execute(add("tally/2", 1, cold=True))

    assert store.loads == ["tally/1", "tally/2"] * 3


names = st.sampled_from(["tally/1", "tally/2", "tally/3", "tally/4"])
steps = st.lists(
    st.one_of(
        st.tuples(st.just("add"), names, names),
        st.tuples(st.just("move"), names, names),
        st.tuples(st.just("doubt"), names, names),
        st.tuples(st.just("again"), names, names),
    ),
    max_size=12,
)


def command_of(step: tuple[str, str, str]) -> Command[int]:
    what, one, other = step
    if what == "add":
        return add(one, 5)
    if what == "move":
        return move(one, other, 2)
    if what == "doubt":
        return doubt(one, 1, by=other)
    return add(one, 5, key=other)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@given(st.integers(1, 4), st.lists(steps, max_size=4))
def test_a_small_memory_gives_the_same_results(
    backend: str, states_max: int, batches: list[list[tuple[str, str, str]]]
) -> None:
    small, large = memory_store(), memory_store()
    cramped = anyio.run(_run, small, batches, states_max, backend=backend)
    roomy = anyio.run(_run, large, batches, 10_000, backend=backend)

    assert cramped == roomy
    for stream, length in large.streams():
        assert small.read(stream, 0, length + 1) == large.read(stream, 0, length)


async def _run(
    store: Store, batches: list[list[tuple[str, str, str]]], states_max: int
) -> list[str]:
    outcomes: list[str] = []
    settings = Settings(clock=SetClock(), states_max=states_max)
    async with open_journal(store, settings) as journal:
        with anyio.fail_after(5):
            await journal.execute(add("tally/1", 10))
            for batch in batches:
                found = [await together(journal, command_of(step)) for step in batch]
                outcomes += [repr(outcome) for outcome in found]
    return outcomes


@pytest.mark.parametrize("states_max", [1, 2, 5])
async def test_many_at_once_get_through_a_small_memory(states_max: int) -> None:
    store = GatedStore()
    async with open_journal(store, Settings(states_max=states_max)) as journal:
        with anyio.fail_after(10):
            commands = [move(f"tally/{n % 7}", f"tally/{n % 5}", 0) for n in range(50)]
            keyed = [add(f"tally/{n % 7}", 1, key=str(n % 10)) for n in range(50)]
            await together(journal, *commands, *keyed)
            sums = [await journal.execute(total(f"tally/{n}")) for n in range(7)]

    assert sum(sums) == 10
