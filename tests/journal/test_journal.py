from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest
from anyio import to_thread

from hubbub.errors import Closed, Conflict, Invalid, KeyReused, NotFound, Overloaded
from hubbub.journal.command import Call
from hubbub.journal.journal import Journal
from hubbub.journal.readers import READERS_MAX
from hubbub.journal.stores.sqlite import SQLiteStore
from hubbub.settings import Settings
from tests.journal.tally import add, memory_store, numbers, open_journal, together, total
from tests.journal.troubled import GatedStore

Reopen = Callable[[], AbstractAsyncContextManager[Journal]]


@pytest.fixture(params=["memory", "sqlite"])
def reopen(request: pytest.FixtureRequest, tmp_path: Path) -> Reopen:
    """Open a journal, again and again on the same store."""
    memory = memory_store()

    @asynccontextmanager
    async def on_memory() -> AsyncIterator[Journal]:
        async with open_journal(memory) as journal:
            yield journal

    @asynccontextmanager
    async def on_sqlite() -> AsyncIterator[Journal]:
        store = await to_thread.run_sync(SQLiteStore, tmp_path / "hubbub.db")
        async with open_journal(store) as journal:
            yield journal
        await to_thread.run_sync(store.close)

    return on_memory if request.param == "memory" else on_sqlite


# Keys


async def test_a_key_makes_a_command_happen_once(reopen: Reopen) -> None:
    async with reopen() as journal:
        seqs = [await journal.execute(add("tally/1", 5, key="key")) for _ in range(3)]

        assert seqs == [1, 1, 1]
        assert await journal.execute(total("tally/1")) == 5


async def test_a_key_is_known_when_the_journal_is_opened_again(reopen: Reopen) -> None:
    async with reopen() as journal:
        await journal.execute(add("tally/1", 1))
        first = await journal.execute(add("tally/1", 5, key="key"))
    async with reopen() as journal:
        again = await journal.execute(add("tally/1", 5, key="key"))

        assert again == first == 2
        assert await journal.execute(total("tally/1")) == 6


async def test_a_key_counts_once_however_many_come_at_once(reopen: Reopen) -> None:
    async with reopen() as journal:
        outcomes = await together(journal, *[add("tally/1", 5, key="key")] * 20)

        assert outcomes == [1] * 20
        assert await journal.execute(total("tally/1")) == 5


async def test_a_key_with_other_arguments_is_refused(reopen: Reopen) -> None:
    async with reopen() as journal:
        await journal.execute(add("tally/1", 5, key="key"))
        with pytest.raises(KeyReused, match="'key'"):
            await journal.execute(add("tally/1", 6, key="key"))
    async with reopen() as journal:
        with pytest.raises(KeyReused):
            await journal.execute(add("tally/2", 5, key="key"))


async def test_two_users_may_have_the_same_key(reopen: Reopen) -> None:
    async with reopen() as journal:
        users = ["ann", "bob"]
        seqs = [await journal.execute(add("tally/1", 5, by=by, key="key")) for by in users]

        assert seqs == [1, 2]


async def test_a_key_that_was_seen_comes_before_everything_else() -> None:
    async with open_journal(memory_store()) as journal:
        first = add("tally/1", 5, key="key", charged=True)
        outcomes = await together(journal, *[first] * 100)

    # Not one of them was charged but the first.
    assert outcomes == [1] * 100


async def test_the_key_of_a_refused_command_is_free() -> None:
    async with open_journal(memory_store()) as journal:
        with pytest.raises(Invalid):
            await journal.execute(add("tally/1", 0, key="key"))

        assert await journal.execute(add("tally/1", 5, key="key")) == 1


async def test_the_key_of_a_cold_command_counts_once(reopen: Reopen) -> None:
    async with reopen() as journal:
        outcomes = await together(journal, *[add("tally/1", 5, key="key", cold=True)] * 5)

        assert outcomes == [1] * 5


async def test_the_longest_key_is_a_setting() -> None:
    async with open_journal(memory_store(), Settings(key_chars_max=3)) as journal:
        assert await journal.execute(add("tally/1", 5, key="123")) == 1
        with pytest.raises(Invalid, match="1 to 3 characters"):
            await journal.execute(add("tally/1", 5, key="1234"))


@pytest.mark.parametrize("key", ["", "x" * 201, 5, b"key", "half a pair: \ud800"])
async def test_a_key_that_is_none_is_refused(reopen: Reopen, key: Any) -> None:
    async with reopen() as journal:
        with pytest.raises(Invalid, match="1 to 200 characters"):
            await journal.execute(add("tally/1", 5, key=key))

        assert await journal.execute(add("tally/1", 5, key="x" * 200)) == 1


# A full queue


async def test_a_call_too_many_is_overload() -> None:
    settings = Settings(calls_queued_max=3)
    async with open_journal(memory_store(), settings) as journal:
        await journal.execute(add("tally/1", 1))
        calls = [Call(add("tally/1", 1)) for _ in range(4)]
        for call in calls[:3]:
            journal.submit(call)

        assert journal.full
        with pytest.raises(Overloaded):
            journal.submit(calls[3])
        assert await journal.execute(total("tally/1")) == 4


async def test_calls_that_wait_to_be_loaded_have_a_limit_too() -> None:
    store, settings = GatedStore(), Settings(calls_queued_max=3)
    async with open_journal(store, settings) as journal:
        store.before_load.shut()
        journal.submit(Call(add("tally/1", 1)))
        await store.before_load.reached()
        for number in range(2):
            journal.submit(Call(add(f"tally/{number}", 1)))

        with pytest.raises(Overloaded):
            journal.submit(Call(add("tally/1", 1)))

        store.open_all()


async def test_who_can_wait_waits_for_a_place() -> None:
    store, settings = GatedStore(), Settings(calls_queued_max=3)
    async with open_journal(store, settings) as journal:
        await journal.execute(add("tally/1", 1))
        store.before_commit.shut()
        async with anyio.create_task_group() as tasks:
            for _ in range(50):
                tasks.start_soon(journal.execute, add("tally/1", 1))
            await store.before_commit.reached()
            store.open_all()

    assert sum(store.commits) == 51
    assert max(store.commits) <= 3


async def test_who_stops_waiting_makes_room() -> None:
    store, settings = GatedStore(), Settings(calls_queued_max=3)
    async with open_journal(store, settings) as journal, anyio.create_task_group() as tasks:
        await journal.execute(add("tally/1", 1))
        store.before_commit.shut()
        tasks.start_soon(journal.execute, add("tally/1", 1))
        await store.before_commit.reached()
        async with anyio.create_task_group() as impatient:
            for _ in range(5):
                impatient.start_soon(journal.execute, add("tally/1", 1_000))
            await anyio.wait_all_tasks_blocked()
            assert journal.full
            impatient.cancel_scope.cancel()

        assert not journal.full
        store.open_all()

    assert sum(store.commits) == 2


# Leaving


async def test_leaving_finishes_what_was_accepted() -> None:
    store = memory_store()
    calls = [Call(add(f"tally/{number % 3}", 1, cold=number % 2 > 0)) for number in range(100)]
    async with open_journal(store) as journal:
        for call in calls:
            journal.submit(call)

    assert [call.error for call in calls] == [None] * 100
    assert sum(count for _, count in store.streams()) == 100


async def test_leaving_does_not_wait_after_a_refusal() -> None:
    with anyio.fail_after(5):
        async with open_journal(memory_store()) as journal:
            with pytest.raises(Invalid):
                await journal.execute(add("tally/1", 0))


async def test_leaving_does_not_wait_for_who_stopped_waiting() -> None:
    store = GatedStore()
    with anyio.fail_after(5):
        async with open_journal(store) as journal:
            store.before_load.shut()
            async with anyio.create_task_group() as impatient:
                impatient.start_soon(journal.execute, add("tally/1", 1))
                await store.before_load.reached()
                impatient.cancel_scope.cancel()
            store.open_all()


async def test_a_use_after_leaving_is_refused() -> None:
    async with open_journal(memory_store()) as journal:
        await journal.execute(add("tally/1", 1))

    with pytest.raises(Closed):
        await journal.execute(add("tally/1", 1))
    with pytest.raises(Closed):
        journal.submit(Call(add("tally/1", 1)))
    with pytest.raises(Closed):
        await journal.searching(journal.store.search, "tally/1", ["one"], 1, 1)
    with pytest.raises(Closed):
        await journal.query(list)
    with pytest.raises(Closed):
        async with journal.follow("ann", "tally/1", 0):
            pytest.fail("there is nothing to follow")


async def test_who_waits_for_a_place_is_refused_when_the_journal_is_left() -> None:
    store, settings, told = GatedStore(), Settings(calls_queued_max=1), list[type]()

    async def run(journal: Journal) -> None:
        try:
            await journal.execute(add("tally/1", 1))
        except Closed:
            told.append(Closed)

    async with anyio.create_task_group() as tasks, open_journal(store, settings) as journal:
        store.before_load.shut()
        for _ in range(3):
            tasks.start_soon(run, journal)
        await store.before_load.reached()
        await anyio.wait_all_tasks_blocked()
        tasks.start_soon(open_later, store)

    assert told == [Closed, Closed]
    assert numbers(store.read("tally/1", 0, 9)) == [1]


async def open_later(store: GatedStore) -> None:
    await anyio.wait_all_tasks_blocked()
    store.open_all()


async def test_what_cannot_be_finished_in_time_is_refused() -> None:
    store, settings = GatedStore(), Settings(drain_seconds_max=0.05)
    calls = [Call(add("tally/1", 1)) for _ in range(3)]
    async with anyio.create_task_group(), open_journal(store, settings) as journal:
        store.before_load.shut()
        journal.submit(calls[0])
        await store.before_load.reached()
        journal.submit(calls[1])
        journal.submit(calls[2])
        for call in calls:
            call.on_done = lambda call: store.open_all()

    assert [type(call.error) for call in calls] == [Closed] * 3


async def test_an_error_in_the_body_comes_out_as_it_is() -> None:
    store = memory_store()

    async def fail() -> None:
        async with open_journal(store) as journal:
            journal.submit(Call(add("tally/1", 1)))
            raise Conflict("mine")

    with pytest.raises(Conflict, match="mine"):
        await fail()

    assert list(store.streams()) == [("tally/1", 1)]


async def test_a_cancelled_body_still_finishes_what_was_accepted() -> None:
    store = memory_store()
    with anyio.CancelScope() as scope:
        async with open_journal(store) as journal:
            journal.submit(Call(add("tally/1", 1)))
            scope.cancel()
            await anyio.sleep_forever()

    assert list(store.streams()) == [("tally/1", 1)]


# Reading


async def test_a_stream_is_read_in_pieces(reopen: Reopen) -> None:
    async with reopen() as journal:
        for _ in range(5):
            await journal.execute(add("tally/1", 1))

        assert numbers(await journal.read("tally/1", 0, 3)) == [1, 2, 3]
        assert numbers(await journal.read("tally/1", 3, 3)) == [4, 5]


async def test_a_search_finds_what_was_said_just_before(reopen: Reopen) -> None:
    async with reopen() as journal:
        for seq in range(1, 4):
            await journal.execute(add("tally/1", 1, text=f"number {seq}"))

            assert await journal.searching(journal.store.search, "tally/1", ["number"], 99, 1) == [
                seq
            ]


async def test_a_search_finds_what_was_said_before_the_journal_was_opened(reopen: Reopen) -> None:
    async with reopen() as journal:
        await journal.execute(add("tally/1", 1, text="apple"))
    async with reopen() as journal:
        assert await journal.searching(journal.store.search, "tally/1", ["apple"], 99, 9) == [1]


async def test_a_search_ends_though_others_go_on_writing(reopen: Reopen) -> None:
    async def write(journal: Journal) -> None:
        while True:
            await journal.execute(add("tally/1", 1, text="apple"))

    async with reopen() as journal, anyio.create_task_group() as tasks:
        for _ in range(100):
            tasks.start_soon(write, journal)
        await journal.execute(add("tally/2", 1, text="pear"))

        with anyio.fail_after(10):
            found = await journal.searching(journal.store.search, "tally/2", ["pear"], 99, 9)
        tasks.cancel_scope.cancel()

    assert found == [1]


async def test_reads_do_not_wait_for_one_another() -> None:
    store = GatedStore()
    async with open_journal(store) as journal, anyio.create_task_group() as tasks:
        await journal.execute(add("tally/1", 1))
        store.before_read.shut()
        for _ in range(READERS_MAX - 1):
            tasks.start_soon(journal.read, "tally/1", 0, 1)
        await store.before_read.reached()

        with anyio.fail_after(5):
            assert await journal.query(list) == []
            await journal.execute(add("tally/1", 1))

        store.open_all()


@pytest.mark.parametrize("stream", ["match/1", "nonsense", "tally/half a pair: \ud800", 5, None])
async def test_a_stream_that_cannot_be_is_refused_to_its_caller_alone(
    reopen: Reopen, stream: Any
) -> None:
    async with reopen() as journal:
        with pytest.raises((NotFound, Invalid)):
            await journal.execute(total(stream))
        with pytest.raises((NotFound, Invalid)):
            await journal.execute(add(stream, 1))

        assert await journal.execute(add("tally/1", 1)) == 1


async def test_states_survive_a_restart_however_long_their_streams(reopen: Reopen) -> None:
    async with reopen() as journal:
        await together(journal, *[add("tally/1", 1)] * 700)
        await journal.execute(add("tally/1", 1))
    async with reopen() as journal:
        assert await journal.execute(total("tally/1")) == 701
