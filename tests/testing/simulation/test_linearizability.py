from __future__ import annotations

import math
from itertools import chain, combinations, permutations
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hubbub.testing.simulation import linearizability
from hubbub.testing.simulation.counterexample import Call
from hubbub.testing.simulation.linearizability import STATES_MAX, is_same, linearize


class Op(NamedTuple):
    """An operation of a register: read, write a value, or swap it in for another."""

    kind: str
    value: int = 0
    old: int = 0


class Register:
    initial = 0

    def apply(self, state: int, operation: Op, /) -> tuple[int, object]:
        if operation.kind == "read":
            return state, state
        if operation.kind == "write":
            return operation.value, None
        if state != operation.old:
            return state, LookupError(state)
        return operation.value, None


def write(value: int, invoked: float, returned: float = math.inf) -> Call[Op]:
    return Call(Op("write", value), invoked, returned)


def read(value: int, invoked: float, returned: float = math.inf) -> Call[Op]:
    return Call(Op("read"), invoked, returned, value)


def is_linearizable(*calls: Call[Op]) -> bool:
    return linearize(calls, Register()) is None


def test_calls_after_one_another_must_agree() -> None:
    assert is_linearizable(write(1, 0, 1), read(1, 2, 3))
    assert not is_linearizable(write(1, 0, 1), read(0, 2, 3))


def test_calls_at_once_may_take_effect_in_either_order() -> None:
    assert is_linearizable(write(1, 0, 9), read(0, 1, 2), read(1, 3, 4))
    assert not is_linearizable(write(1, 0, 9), read(1, 1, 2), read(0, 3, 4))


def test_a_call_of_unknown_outcome_may_take_effect_late_or_never() -> None:
    assert is_linearizable(write(1, 0), read(0, 5, 6))
    assert is_linearizable(write(1, 0), read(0, 5, 6), read(1, 7, 8))
    assert not is_linearizable(write(1, 0), read(0, 5, 6), read(2, 7, 8))


def test_a_call_that_raised_is_the_same_by_its_type() -> None:
    swap = Call(Op("swap", 2, old=7), 0, 1, LookupError("of other words"))

    assert is_linearizable(swap)
    assert not is_linearizable(Call(swap.operation, 0, 1, ValueError()))
    assert is_same(None, None)
    assert not is_same(None, LookupError())


def test_no_calls_are_linearizable() -> None:
    assert is_linearizable()


def test_many_calls_one_after_another_are_checked_at_once() -> None:
    calls = [write(n, 2 * n, 2 * n + 1.5) for n in range(3_000)]

    assert is_linearizable(*calls)


def test_it_says_when_it_cannot_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    assert STATES_MAX == 1_000_000
    monkeypatch.setattr(linearizability, "STATES_MAX", 100)
    calls = [write(n, n / 100, 10) for n in range(12)]

    with pytest.raises(RuntimeError, match="check fewer calls"):
        is_linearizable(*calls, read(99, 11, 12))


def test_the_counterexample_says_where_it_ends() -> None:
    calls = [write(1, 0, 1), read(1, 2, 5), read(0, 6, 7), read(7, 8, 9)]
    found = linearize(calls, Register())

    assert found is not None
    assert [placed.call for placed in found.placed] == calls[:2]
    assert [(unplaced.call, unplaced.expected) for unplaced in found.unplaced] == [(calls[2], 1)]


operations = st.one_of(
    st.just(Op("read")),
    st.builds(Op, st.just("write"), st.integers(1, 2)),
    st.builds(Op, st.just("swap"), st.integers(1, 2), st.integers(0, 2)),
)
results = st.sampled_from([None, 0, 1, 2, LookupError()])


@st.composite
def histories(draw: st.DrawFn) -> list[Call[Op]]:
    """Calls whose moments are drawn, with results that are often right."""
    count = draw(st.integers(0, 5))
    moments = draw(st.permutations(range(2 * count)))
    calls = []
    for number in range(count):
        invoked, returned = sorted(moments[2 * number : 2 * number + 2])
        end = math.inf if draw(st.integers(0, 4)) == 0 else returned
        operation = draw(operations)
        result = draw(results) if operation.kind != "write" else None
        calls.append(Call(operation, invoked, end, result))
    return calls


@st.composite
def possible_histories(draw: st.DrawFn) -> list[Call[Op]]:
    """Calls with the results of a register whose calls took effect one after another."""
    count = draw(st.integers(1, 40))
    state, model, calls = Register.initial, Register(), []
    for moment in range(count):
        operation = draw(operations)
        state, result = model.apply(state, operation)
        early, late = draw(st.floats(0, 5)), draw(st.floats(0, 5))
        calls.append(Call(operation, moment - early, moment + 0.5 + late, result))
    return calls


@settings(max_examples=200)
@given(calls=possible_histories())
def test_it_finds_an_order_if_there_was_one(calls: list[Call[Op]]) -> None:
    assert is_linearizable(*calls)


@settings(max_examples=200)
@given(calls=histories())
def test_it_agrees_with_trying_every_order(calls: list[Call[Op]]) -> None:
    assert is_linearizable(*calls) == any(map(fits, orders_of(calls)))


def orders_of(calls: list[Call[Op]]) -> chain[tuple[Call[Op], ...]]:
    known = [call for call in calls if not call.is_unknown]
    unknown = [call for call in calls if call.is_unknown]
    subsets = chain.from_iterable(combinations(unknown, n) for n in range(len(unknown) + 1))
    return chain.from_iterable(permutations([*known, *some]) for some in subsets)


def fits(order: tuple[Call[Op], ...]) -> bool:
    if any(late.returned < early.invoked for early, late in combinations(order, 2)):
        return False
    state, model = Register.initial, Register()
    for call in order:
        state, result = model.apply(state, call.operation)
        if not call.is_unknown and not is_same(call.result, result):
            return False
    return True
