from __future__ import annotations

import gc
import weakref
from collections.abc import Sequence
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubbub.errors import Conflict, Invalid
from hubbub.journal.command import Call, Command, SessionQueue, Verdict, check_key, nothing
from hubbub.journal.decide.cache_entries import NotLoaded
from hubbub.journal.decide.states import States
from hubbub.journal.event import Event
from tests.journal.tally import add, memory_store, new_limit, open_journal, total

scalars = st.none() | st.booleans() | st.integers(-(1 << 53), 1 << 53) | st.text("abc")
arguments = st.tuples(st.text("abc"), scalars, scalars)


def command_with(values: object) -> Command[Any]:
    return Command("ann", nothing, lambda states, events: None, arguments=values)


@given(arguments)
def test_equal_arguments_have_one_fingerprint(values: object) -> None:
    assert command_with(values).fingerprint() == command_with(values).fingerprint()


@given(arguments, arguments)
def test_other_arguments_have_another_fingerprint(one: object, other: object) -> None:
    # To JSON, True and 1 are two things.
    same = repr(one) == repr(other)

    assert (command_with(one).fingerprint() == command_with(other).fingerprint()) is same


def test_a_fingerprint_is_short_whatever_the_arguments() -> None:
    assert len(command_with("x" * 100_000).fingerprint()) == 16


ODD = {"digits": 10**5000, "half a pair": "\ud800", "in a key": {"\udfff": 1}, "no JSON": object()}


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD)
def test_what_cannot_be_written_down_is_refused(odd: object) -> None:
    with pytest.raises(Invalid):
        command_with(("send", odd)).fingerprint()


def test_what_is_nested_too_deep_is_refused() -> None:
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]

    with pytest.raises(Invalid):
        command_with(deep).fingerprint()


async def test_a_key_with_arguments_that_cannot_be_digested_changes_nothing() -> None:
    command = add("tally/1", 3, key="key")
    command.arguments = ("add", "\ud800")
    async with open_journal(memory_store()) as journal:
        with pytest.raises(Invalid):
            await journal.execute(command)

        assert await journal.execute(total("tally/1")) == 0
        assert await journal.execute(add("tally/1", 1, key="key")) == 1


def test_a_command_reads_nothing_and_has_no_key_unless_it_says_so() -> None:
    command = command_with(())

    assert command.reads == ()
    assert command.key is None


# Verdicts


def test_a_verdict_is_told_once_and_to_all() -> None:
    verdict, told, error = Verdict(), list[str](), Conflict("no")
    verdict.on_settled(lambda: told.append("first"))
    verdict.on_settled(lambda: told.append("second"))
    assert (verdict.settled, verdict.waiting) == (False, 2)
    verdict.settle(error)
    verdict.settle(None)

    assert told == ["first", "second"]
    assert (verdict.settled, verdict.error, verdict.waiting) == (True, error, 0)


def test_who_asks_late_is_told_at_once() -> None:
    verdict, told = Verdict(), list[str]()
    verdict.settle()
    verdict.on_settled(lambda: told.append("late"))

    assert told == ["late"]
    assert verdict.error is None


def test_who_cannot_be_told_keeps_no_one_else_from_it(caplog: pytest.LogCaptureFixture) -> None:
    verdict, told = Verdict(), list[str]()
    verdict.on_settled(lambda: told.append(f"{1 / 0}"))
    verdict.on_settled(lambda: told.append("second"))
    verdict.settle()

    assert told == ["second"]
    assert "could not be notified" in caplog.text


def test_to_decide_nothing_writes_nothing() -> None:
    assert nothing(States(1, new_limit)) == ()


def test_what_is_not_loaded_is_named() -> None:
    assert NotLoaded(("room/1", 5), "room/2").names == (("room/1", 5), "room/2")


def test_the_outcome_of_a_call_is_its_value() -> None:
    call = Call(total("tally/1"))
    call.value, call.done = 5, True

    assert call.outcome() == 5


def test_the_outcome_of_a_refused_call_is_its_error() -> None:
    call = Call(add("tally/1", 1))
    call.error, call.done = Conflict("not now"), True

    with pytest.raises(Conflict, match="not now"):
        call.outcome()


def test_a_call_under_way_has_no_outcome() -> None:
    with pytest.raises(AssertionError):
        Call(total("tally/1")).outcome()


@given(st.permutations(range(6)))
def test_a_turn_comes_when_all_before_it_have_left(order: list[int]) -> None:
    queue = SessionQueue()
    places = [queue.enter() for _ in order]
    turns = []
    for place in order:
        queue.leave(place)
        turns.append(queue.turn)

    assert places == sorted(order)
    gone = [set(order[: count + 1]) for count in range(6)]
    assert turns == [min(set(range(7)) - left) for left in gone]


@pytest.mark.parametrize("value", ["\ud800", object(), {1: float, "x": 2}])
def test_what_has_no_form_in_json_is_refused_with_a_key(value: object) -> None:
    with pytest.raises(Invalid):
        command_with(("add", value)).fingerprint()


@given(st.integers(1, 9), st.data())
def test_calls_that_are_decided_again_have_their_old_turns(count: int, data: st.DataObject) -> None:
    queue = SessionQueue()
    places = [queue.enter() for _ in range(count)]
    decided = data.draw(st.integers(1, count))
    for place in places[:decided]:
        queue.leave(place)
    again = sorted(data.draw(st.sets(st.sampled_from(places[:decided]), min_size=1)))
    queue.rewind(again)
    turns = []
    for place in [*again, *places[decided:]]:
        turns.append(queue.turn == place)
        queue.leave(place)

    assert all(turns)
    assert queue.turn == count
    assert not queue._gone


@pytest.mark.parametrize("key", ["", "x" * 201, 5, None, "\ud800"])
def test_a_key_that_is_none_is_refused(key: object) -> None:
    with pytest.raises(Invalid, match="200"):
        check_key(key, 200)


def result_of(caller: object, states: States, events: Sequence[Event]) -> object:
    return caller


def test_a_command_that_leads_back_to_its_call_leaves_the_memory() -> None:
    class Caller:
        """Keeps its call."""

        call: Call[object]

    caller = Caller()
    left = weakref.ref(caller)
    caller.call = Call(Command("ann", nothing, partial(result_of, caller)))
    del caller
    gc.collect()

    assert left() is None
