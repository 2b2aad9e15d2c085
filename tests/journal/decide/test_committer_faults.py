"""Faults around the committer: none of them affects others, and no caller waits without end."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import anyio
import anyio.abc
import apsw
import msgspec
import pytest

from hubbub.errors import Closed, HubbubError, Overloaded, StorageError
from hubbub.journal.command import Call
from hubbub.journal.decide import committer, decider, upkeep
from hubbub.journal.decide.committer import RACES_MAX
from hubbub.journal.event import Event, encode_event
from hubbub.journal.journal import Journal
from hubbub.journal.stores.contract import Batch, Stale
from hubbub.journal.stores.memory import MemoryStore
from hubbub.journal.stores.sqlite import SQLiteStore
from hubbub.settings import Settings
from tests.journal.tally import (
    NOON,
    Added,
    SetClock,
    add,
    memory_store,
    numbers,
    open_journal,
    take,
    together,
    total,
)
from tests.journal.test_actor import caller_of
from tests.journal.troubled import GatedStore


def broken(*args: object) -> None:
    raise ZeroDivisionError


# What calls back


def observe(journal: Journal) -> None:
    journal.on_commit.append(broken)


def observe_batches(journal: Journal) -> None:
    journal.after_batch.append(broken)


def submit_broken(journal: Journal) -> None:
    journal.submit(Call(add("tally/9", 1), on_done=broken))


def submit_broken_refusal(journal: Journal) -> None:
    journal.submit(Call(add("tally/9", 0), on_done=broken))


@pytest.mark.parametrize(
    "spoil",
    [observe, observe_batches, submit_broken, submit_broken_refusal],
    ids=["observe", "observe_batches", "submit", "submit_refusal"],
)
async def test_who_is_told_and_fails_hurts_nobody_else(
    spoil: Callable[[Journal], None], caplog: pytest.LogCaptureFixture
) -> None:
    async with open_journal(memory_store()) as journal:
        spoil(journal)
        with anyio.fail_after(5):
            first = await together(journal, *[add("tally/1", 1)] * 3)
            second = await journal.execute(add("tally/1", 1))

    assert (first, second) == ([1, 2, 3], 4)
    assert any(record.levelno >= logging.ERROR for record in caplog.records)


@contextmanager
def breaking(monkeypatch: pytest.MonkeyPatch, owner: type, method: str) -> Iterator[None]:
    """Let a method only raise for a while, in which nobody may have to wait for long."""
    with monkeypatch.context() as patch, anyio.fail_after(5):
        patch.setattr(owner, method, broken)
        yield


async def test_a_fault_of_the_committer_itself_fails_its_batch_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with open_journal(memory_store()) as journal:
        await journal.execute(add("tally/1", 1))
        with breaking(monkeypatch, decider.Decided, "take_snapshots"):
            outcomes = await together(journal, *[add("tally/1", 1)] * 2)

        assert [type(outcome) for outcome in outcomes] == [StorageError] * 2
        assert await journal.execute(add("tally/1", 1)) == 2


async def test_a_committer_that_dies_starts_again(monkeypatch: pytest.MonkeyPatch) -> None:
    async with open_journal(memory_store()) as journal:
        with monkeypatch.context() as patch:
            patch.setattr(upkeep.Upkeep, "_catch_up", broken)
            await anyio.sleep(2 * upkeep.IDLE_SECONDS)
        with anyio.fail_after(10):
            assert await journal.execute(add("tally/1", 1)) == 1


async def test_nobody_waits_for_ever_for_a_committer_that_can_decide_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with open_journal(memory_store()) as journal:
        await journal.execute(add("tally/1", 1))
        with breaking(monkeypatch, committer.Committer, "_decide_first"):
            outcomes = await together(journal, *[add("tally/1", 1)] * 3)
        after = await journal.execute(add("tally/1", 1))

    assert [type(outcome) for outcome in outcomes] == [StorageError] * 3
    assert after == 2


async def test_whoever_waits_in_another_task_is_told_when_the_journal_ends_with_an_error() -> None:
    told, store = list[type](), GatedStore()

    async def use(journal: Journal) -> None:
        try:
            await journal.execute(add("tally/1", 1))
        except HubbubError as error:
            told.append(type(error))

    async def end(tasks: anyio.abc.TaskGroup) -> None:
        async with open_journal(store, Settings(drain_seconds_max=0.05)) as journal:
            store.before_load.shut()
            for _ in range(3):
                tasks.start_soon(use, journal)
            await store.before_load.reached()
            await anyio.wait_all_tasks_blocked()
            tasks.start_soon(open_soon, store)
            raise ZeroDivisionError

    async with anyio.create_task_group() as tasks:
        with anyio.fail_after(10), pytest.raises(ZeroDivisionError):
            await end(tasks)

    assert told == [Closed] * 3


async def open_soon(store: GatedStore) -> None:
    await anyio.sleep(0.2)
    store.open_all()


# Another writer


class Rival:
    """Another writer on the same file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def add(self, seq: int, amount: int = 100) -> None:
        event = Event("tally/1", seq, NOON, "rival", None, Added(amount))
        database = apsw.Connection(str(self.path))
        [(number,)] = database.execute("SELECT number FROM stream WHERE name = 'tally/1'")
        database.execute(
            "INSERT INTO event (stream, seq, type, by, body) VALUES (?, ?, 'added', 'rival', ?)",
            (number, seq, encode_event(event)),
        )
        database.close()


async def test_what_lost_a_race_is_decided_again_on_what_is_there(tmp_path: Path) -> None:
    path = tmp_path / "hubbub.db"
    store = await anyio.to_thread.run_sync(SQLiteStore, path)
    async with open_journal(store) as journal, journal.follow("ann", "tally/1", 0) as events:
        await journal.execute(add("tally/1", 1))
        await anyio.to_thread.run_sync(Rival(path).add, 2)
        outcomes = await together(
            journal, add("tally/1", 1), total("tally/1"), add("tally/2", 1), add("tally/1", 1)
        )
        seen = await take(events, 4)

    assert outcomes == [3, 102, 1, 4]
    assert seen == [1, 2, 3, 4]
    await anyio.to_thread.run_sync(store.close)


class RacyStore(MemoryStore):
    """Another writer is always first, until it stops."""

    def __init__(self, races: int) -> None:
        super().__init__()
        self.races = races
        self.asked = 0

    def commit(self, batch: Batch) -> None:
        self.asked += 1
        if self.asked <= self.races:
            raise Stale
        super().commit(batch)


@pytest.mark.parametrize("races", [1, RACES_MAX, RACES_MAX + 1])
async def test_a_race_is_run_only_so_often(races: int) -> None:
    store = RacyStore(races)
    async with open_journal(store) as journal:
        with anyio.fail_after(5):
            [outcome] = await together(journal, add("tally/1", 1))
            after = await journal.execute(add("tally/1", 1))

    lost = races > RACES_MAX
    assert isinstance(outcome, StorageError) is lost
    assert after == (1 if lost else 2)
    assert not journal.failed


async def test_the_calls_of_a_session_keep_their_order_through_races() -> None:
    store = RacyStore(2)
    async with open_journal(store) as journal:
        actor = caller_of(journal)
        got: list[int] = []
        calls = [
            Call(add(f"tally/{n % 2}", n), actor.queue, lambda call: got.append(call.outcome()))
            for n in range(1, 9)
        ]
        for call in calls:
            journal.submit(call)
        with anyio.fail_after(5):
            await actor.execute(total("tally/1"))

    assert got == [1, 1, 2, 2, 3, 3, 4, 4]
    for stream in ("tally/0", "tally/1"):
        assert numbers(store.read(stream, 0, 9)) == [1, 2, 3, 4]


async def test_nobody_is_charged_twice_for_a_race() -> None:
    store = RacyStore(3)
    async with open_journal(store, Settings(clock=SetClock())) as journal:
        outcomes = await together(journal, *[add("tally/1", 1, charged=True)] * 3)

    assert outcomes == [1, 2, 3]


async def test_effects_come_once_and_before_their_callers_are_told() -> None:
    happened: list[object] = []
    async with open_journal(RacyStore(2)) as journal:
        for _ in range(3):
            command = msgspec.structs.replace(add("tally/1", 1), effect=happened.append)
            journal.submit(Call(command, on_done=lambda call: happened.append("told")))
        await journal.execute(total("tally/1"))

    assert happened == [1, "told", 2, "told", 3, "told"]


async def test_an_effect_that_fails_fails_its_caller_alone() -> None:
    def fail(result: int) -> None:
        raise Overloaded("There is no place for it; try again.")

    async with open_journal(memory_store()) as journal:
        with pytest.raises(Overloaded):
            await journal.execute(msgspec.structs.replace(add("tally/1", 1), effect=fail))

        assert await journal.execute(add("tally/1", 1)) == 2


# A store that fails


class OddStore(MemoryStore):
    """Raises what no store should."""

    def __init__(self) -> None:
        super().__init__()
        self.error: Exception | None = None

    def commit(self, batch: Batch) -> None:
        if self.error is not None:
            raise self.error
        super().commit(batch)

    def check(self) -> None:
        self.commit(Batch())


@pytest.mark.parametrize(
    "error", [KeyError("x"), OSError(5, "x"), TimeoutError(), AssertionError()]
)
async def test_whatever_a_commit_raises_fails_its_batch_alone(error: Exception) -> None:
    store = OddStore()
    async with open_journal(store) as journal:
        await journal.execute(add("tally/1", 1))
        store.error = error
        outcomes: Sequence[Any] = await together(journal, add("tally/1", 1), total("tally/1"))
        store.error = None

        assert [type(outcome) for outcome in outcomes] == [StorageError] * 2
        assert await journal.execute(add("tally/1", 1)) == 2


async def test_a_store_that_is_well_again_is_found_so_without_a_command(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(upkeep, "CHECK_SECONDS", 0.01)
    store = OddStore()
    async with open_journal(store) as journal:
        store.error = OSError(28, "full")
        with pytest.raises(StorageError):
            await journal.execute(add("tally/1", 1))
        failed = journal.failed
        store.error = None
        with anyio.fail_after(5):
            while journal.failed:  # noqa: ASYNC110  (nobody is told)
                await anyio.sleep(0.01)

    assert failed


# Keys that expire


async def test_keys_expire_after_their_days() -> None:
    clock, store = SetClock(), memory_store()
    async with open_journal(store, Settings(clock=clock, key_days=1.0)) as journal:
        await journal.execute(add("tally/1", 1, key="old"))
        clock.time = NOON.replace(day=3)
        clock.seconds = 2 * 24 * 3600.0
        await journal.execute(add("tally/1", 1, key="new"))
        await journal.execute(add("tally/1", 1))
    keys = [used.key for used in store.keys(("", ""), 10)]

    assert keys == ["new"]


async def test_a_command_after_leaving_is_refused_and_not_kept_waiting() -> None:
    async with open_journal(memory_store()) as journal:
        pass

    with anyio.fail_after(5), pytest.raises(Closed):
        await journal.execute(add("tally/1", 1))
