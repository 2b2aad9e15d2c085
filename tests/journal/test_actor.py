from __future__ import annotations

from random import Random

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubbub.errors import Conflict, Invalid, StorageError
from hubbub.ids import Ids
from hubbub.journal.actor import Actor
from hubbub.journal.command import Call, Command, Verdict
from hubbub.journal.journal import Journal
from hubbub.journal.stores.contract import Store
from hubbub.settings import Settings
from tests.journal.tally import SetClock, add, doubt, memory_store, move, open_journal, total
from tests.journal.troubled import GatedStore, PatchyStore

COMMANDS = {
    "warm": add("tally/1", 1),
    "cold": add("tally/2", 1),
    "cold, and not said so": add("tally/3", 1, cold=True),
    "two colds, and not said so": move("tally/4", "tally/5", 0),
    "about another": doubt("tally/1", 1),
    "keyed": add("tally/1", 1, key="key"),
}


def caller_of(journal: Journal) -> Actor:
    settings = Settings(clock=SetClock(), random=Random(1))
    return Actor(journal, settings, Ids(settings.clock, settings.random), "ann", "user")


async def test_a_caller_gets_what_its_command_gives() -> None:
    async with open_journal(memory_store()) as journal:
        actor = caller_of(journal)

        assert await actor.execute(add("tally/1", 5)) == 1
        assert await actor.execute(total("tally/1")) == 5


@pytest.mark.parametrize("error", [None, Conflict("no")])
async def test_a_caller_waits_for_a_verdict_that_its_command_asks_for(
    error: Conflict | None,
) -> None:
    outcomes = list[int | Conflict]()

    async def ask(actor: Actor, command: Command[int]) -> None:
        try:
            result: int = await actor.execute(command)
            outcomes.append(result)
        except Conflict as refused:
            outcomes.append(refused)

    async with open_journal(memory_store()) as journal:
        verdict, actor = Verdict(), caller_of(journal)
        command: Command[int] = add("tally/1", 5)
        command.verdict = verdict
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(ask, actor, command)
            await anyio.wait_all_tasks_blocked()
            before = list(outcomes)
            # It is decided all the same, and the session's next command does not wait.
            assert await actor.execute(total("tally/1")) == 5
            verdict.settle(error)

    assert (before, outcomes) == ([], [error or 1])


async def test_what_comes_before_a_command_and_its_verdict_are_both_waited_for() -> None:
    order, verdict = list[str](), Verdict()

    async def look_up() -> None:
        order.append("before")
        verdict.settle(Conflict("no"))

    async with open_journal(memory_store()) as journal:
        command: Command[int] = add("tally/1", 5)
        command.before, command.verdict = look_up, verdict
        with pytest.raises(Conflict, match="no"):
            await caller_of(journal).execute(command)

        assert order == ["before"]
        assert await journal.execute(total("tally/1")) == 5


async def test_a_caller_gets_the_refusal_of_its_command() -> None:
    async with open_journal(memory_store()) as journal:
        with pytest.raises(Invalid):
            await caller_of(journal).execute(add("tally/1", 0))


@pytest.mark.parametrize(
    ("role", "address", "remote", "limited"),
    [
        ("user", "127.0.0.1", True, True),
        ("user", "", True, True),
        ("user", "", False, False),
        ("moderator", "127.0.0.1", True, False),
        ("admin", "", True, False),
    ],
)
async def test_a_user_is_limited_who_comes_over_a_network_with_or_without_an_address(
    role: str, address: str, *, remote: bool, limited: bool
) -> None:
    settings = Settings(clock=SetClock(), random=Random(1))
    ids = Ids(settings.clock, settings.random)
    async with open_journal(memory_store()) as journal:
        actor = Actor(journal, settings, ids, "ann", role, None, address, remote=remote)

        assert actor.is_limited is limited


async def test_what_a_command_needs_is_awaited_before_it_is_decided() -> None:
    async with open_journal(memory_store()) as journal:
        actor = caller_of(journal)

        async def first() -> None:
            await actor.execute(add("tally/1", 5))

        later = add("tally/1", 1)
        later.before = first
        await actor.execute(later)

        assert await actor.execute(total("tally/1")) == 6


async def test_a_command_is_not_decided_if_what_it_needs_is_refused() -> None:
    async with open_journal(memory_store()) as journal:
        actor = caller_of(journal)

        async def refuse() -> None:
            raise Invalid("not now")

        refused = add("tally/1", 1)
        refused.before = refuse
        with pytest.raises(Invalid, match="not now"):
            await actor.execute(refused)

        assert await actor.execute(total("tally/1")) == 0


async def test_each_caller_has_a_lane_of_its_own() -> None:
    async with open_journal(memory_store()) as journal:
        assert caller_of(journal).queue is not caller_of(journal).queue


async def test_a_caller_does_not_wait_for_the_cold_command_of_another() -> None:
    store = GatedStore()
    async with open_journal(store) as journal, anyio.create_task_group() as tasks:
        ann, bob = caller_of(journal), caller_of(journal)
        await ann.execute(add("tally/1", 1))
        store.before_load.shut()
        tasks.start_soon(ann.execute, add("tally/2", 1))
        await store.before_load.reached()

        with anyio.fail_after(5):
            await bob.execute(add("tally/1", 1))

        store.open_all()


async def test_a_refused_command_does_not_hold_up_the_next() -> None:
    store = PatchyStore()
    store.unreadable.add("tally/2")
    async with open_journal(store) as journal:
        actor = caller_of(journal)
        with pytest.raises(Invalid):
            await actor.execute(add("tally/1", 0))
        with pytest.raises(StorageError):
            await actor.execute(add("tally/2", 1))
        with pytest.raises(StorageError):
            await actor.execute(add("tally/2", 1, cold=True))
        with pytest.raises(Invalid):
            await actor.execute(add("tally/1", 1, key=""))

        with anyio.fail_after(5):
            assert await actor.execute(add("tally/1", 1)) == 1


@pytest.mark.parametrize("count", [1, 2, 5])
async def test_a_command_that_nobody_waits_for_does_not_hold_up_the_next(count: int) -> None:
    store = GatedStore()
    async with open_journal(store) as journal:
        actor = caller_of(journal)
        store.before_load.shut()
        async with anyio.create_task_group() as impatient:
            for number in range(count):
                impatient.start_soon(actor.execute, add(f"tally/{number % 2}", 1))
            await store.before_load.reached()
            await anyio.wait_all_tasks_blocked()
            impatient.cancel_scope.cancel()
        store.open_all()

        with anyio.fail_after(5):
            assert await actor.execute(add("tally/1", 1)) == 1


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@given(st.lists(st.sampled_from(sorted(COMMANDS)), max_size=8))
def test_the_commands_of_a_caller_are_decided_in_the_order_they_came(
    backend: str, names: list[str]
) -> None:
    anyio.run(_in_order, [COMMANDS[name] for name in names], backend=backend)


async def _in_order(commands: list[Command[int]]) -> None:
    store: Store = memory_store()
    async with open_journal(store) as journal:
        await journal.execute(add("tally/1", 1))
    async with open_journal(store) as journal:
        await journal.execute(total("tally/1"))
        actor, done = caller_of(journal), list[Call[int]]()
        calls = [Call(command, actor.queue, on_done=done.append) for command in commands]
        for number, call in enumerate(calls):
            journal.submit(call)
            if number % 3 == 2:
                await anyio.lowlevel.checkpoint()

    assert [call.error for call in calls] == [None] * len(calls)
    assert done == calls
