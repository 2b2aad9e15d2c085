from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubbub.errors import Conflict, Invalid
from hubbub.journal.command import Call, Command
from hubbub.journal.decide.cache_entries import IdempotencyRecord, StreamEntry
from hubbub.journal.decide.decider import Decided, Decider
from hubbub.journal.decide.states import States
from hubbub.journal.event import Draft, Event
from hubbub.journal.stores.contract import Store
from tests.journal.tally import (
    NOON,
    STREAMS,
    Added,
    Tally,
    add,
    memory_store,
    new_limit,
    numbers,
    open_journal,
    together,
    total,
)

CURSED = 666


def decided_of(states: States, command: Command[Any]) -> tuple[Call[Any], Decided]:
    call, decided = Call(command), Decided()
    states.now = NOON
    Decider(states).decide(call, decided)
    return call, decided


@pytest.fixture
def states() -> States:
    states = States(100, new_limit)
    states.put(StreamEntry("tally/1", Tally()))
    states.put(StreamEntry("tally/2", Tally()))
    states.put(IdempotencyRecord(("ann", "key", "")))
    return states


@pytest.fixture
def _cursed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no state fold a certain number."""
    before = Tally.apply

    def apply(self: Tally, event: Event) -> None:
        if isinstance(event.data, Added) and event.data.amount == CURSED:
            raise ZeroDivisionError
        before(self, event)

    monkeypatch.setattr(Tally, "apply", apply)


def several(*drafts: tuple[str, int]) -> Command[int]:
    def decide(states: States) -> Sequence[Draft]:
        return [Draft(stream, Added(amount)) for stream, amount in drafts]

    return Command("ann", decide, lambda states, events: len(events))


def test_a_decision_is_applied_and_in_the_batch(states: States) -> None:
    call, decided = decided_of(states, add("tally/1", 5, key="key"))

    assert call.value == 1
    assert [record.seq for record in decided.batch.records] == [1]
    assert [used.at for used in decided.batch.used] == [int(NOON.timestamp())]
    assert not decided.spoilt


def test_a_decision_of_nothing_leaves_nothing(states: States) -> None:
    call, decided = decided_of(states, total("tally/1"))

    assert call.value == 0
    assert not decided.batch.records
    assert not decided.entries


@pytest.mark.usefixtures("_cursed")
def test_of_a_decision_that_does_not_fold_nothing_is_in_the_batch(states: States) -> None:
    states.now = NOON
    decided = Decided()
    with pytest.raises(ZeroDivisionError):
        Decider(states).decide(Call(several(("tally/1", 1), ("tally/2", CURSED))), decided)

    assert not decided.batch.records
    assert {entry.name for entry in decided.spoilt} == {"tally/1", "tally/2"}


def test_of_a_decision_whose_result_fails_nothing_is_in_the_batch(states: States) -> None:
    states.now = NOON
    decided = Decided()
    faulty = Command("ann", several(("tally/1", 1)).decide, lambda states, events: 1 // 0)
    with pytest.raises(ZeroDivisionError):
        Decider(states).decide(Call(faulty), decided)

    assert not decided.batch.records
    assert {entry.name for entry in decided.spoilt} == {"tally/1"}


def test_arguments_that_have_no_json_leave_nothing(states: States) -> None:
    states.now = NOON
    decided = Decided()
    command = add("tally/1", 1, key="key")
    command.arguments = object()
    with pytest.raises(Invalid):
        Decider(states).decide(Call(command), decided)

    assert not decided.batch.records
    assert not decided.spoilt


# In the journal


async def _fold_faultily(store: Store, amounts: Sequence[Sequence[int]]) -> list[list[Any]]:
    outcomes = []
    async with open_journal(store) as journal:
        for batch in amounts:
            commands = [several((f"tally/{n % 2}", a), ("tally/2", a)) for n, a in enumerate(batch)]
            outcomes.append(await together(journal, *commands))
        sums = await together(journal, *[total(f"tally/{n}") for n in range(3)])

    folded = [
        sum(STREAMS.decode(body).data.amount for body in store.read(f"tally/{n}", 0, 999))  # type: ignore[attr-defined]
        for n in range(3)
    ]
    assert sums == folded
    return outcomes


@pytest.mark.usefixtures("_cursed")
async def test_a_fold_that_fails_fails_its_own_command_alone() -> None:
    store = memory_store()
    outcomes = await _fold_faultily(store, [[1, CURSED, 2, 3], [4, CURSED], [CURSED, 5]])

    assert [[type(one) for one in batch] for batch in outcomes] == [
        [int, ZeroDivisionError, int, int],
        [int, ZeroDivisionError],
        [ZeroDivisionError, int],
    ]
    assert numbers(store.read("tally/2", 0, 99)) == [1, 2, 3, 4, 5]


batches = st.lists(
    st.lists(st.sampled_from([1, 2, CURSED]), min_size=1, max_size=6), min_size=1, max_size=4
)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@pytest.mark.usefixtures("_cursed")
@given(batches)
def test_memory_is_what_the_store_is_whatever_does_not_fold(
    backend: str, batches: list[list[int]]
) -> None:
    import anyio  # noqa: PLC0415

    outcomes = anyio.run(_fold_faultily, memory_store(), batches, backend=backend)

    assert [[one == 2 for one in batch] for batch in outcomes] == [
        [amount != CURSED for amount in batch] for batch in batches
    ]


@pytest.mark.parametrize("reads", [True, False], ids=["reads", "does not read"])
async def test_a_refusal_spoils_nothing(reads: bool) -> None:
    def decide(states: States) -> Sequence[Draft]:
        if reads:
            states.of(Tally, "tally/1")
        raise Conflict("Not now.")

    result: Callable[..., None] = lambda states, events: None  # noqa: E731
    async with open_journal(memory_store()) as journal:
        await journal.execute(add("tally/1", 1))
        outcomes = await together(journal, Command("ann", decide, result), total("tally/1"))

    assert type(outcomes[0]) is Conflict
    assert outcomes[1] == 1
