"""
Decides whether concurrent calls could have been made one after another.

The search is that of J. Wing and C. Gong, "Testing and Verifying Concurrent Objects" (1993): place
a call that no other must precede, and continue with the rest. It remembers which sets of calls led
to which states, as G. Lowe, "Testing for Linearizability" (2017), and tries none of them twice.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from .counterexample import Call, Counterexample, Placed, Unplaced

__all__ = ["STATES_MAX", "Model", "is_same", "linearize"]

# States that a check looks at before it says that it cannot tell.
STATES_MAX = 1_000_000

S = TypeVar("S", bound=Hashable)
O_contra = TypeVar("O_contra", bound=Hashable, contravariant=True)
O = TypeVar("O", bound=Hashable)  # noqa: E741  (an operation)


class Model(Protocol[S, O_contra]):
    """The behaviour of an object when calls come one after another."""

    @property
    def initial(self) -> S:
        """The state before the first call."""

    def apply(self, state: S, operation: O_contra, /) -> tuple[S, object]:
        """
        Return the state after an operation, and its result.

        For an operation that fails, the result is an exception of the type that the call raises.
        """


def linearize(calls: Sequence[Call[O]], model: Model[S, O]) -> Counterexample[O] | None:
    """
    Look for an order of calls in which each returns what the model returns.

    Args:
        calls: the calls. A call of unknown outcome can take effect at any moment after it was
            made, or never.
        model: what the object should do.

    Returns:
        None if there is an order; otherwise how far the best attempt came.

    Raises:
        RuntimeError: there are too many possible orders; check fewer calls, or per key.
    """
    return _Search(sorted(calls, key=lambda call: call.invoked), model).run()


def is_same(actual: object, expected: object) -> bool:
    """Whether a call returned what the model returns; exceptions are compared by their types."""
    if isinstance(actual, Exception) or isinstance(expected, Exception):
        return type(actual) is type(expected)
    return actual == expected


@dataclass(slots=True)
class _Node(Generic[S]):
    """
    Some calls in an order, and the state that they lead to.

    Args:
        first: how many of the first calls are placed, without a gap.
        later: which calls after these are placed, a bit for each.
        state: of the model.
        known: how many of the placed calls have a known outcome.
        choices: the calls that can be placed next and were not tried.
    """

    first: int
    later: int
    state: S
    known: int
    choices: Iterator[int]


class _Search(Generic[S, O]):
    def __init__(self, calls: list[Call[O]], model: Model[S, O]) -> None:
        self._calls = calls
        self._model = model
        self._known = sum(not call.is_unknown for call in calls)
        self._seen: set[tuple[int, int, S]] = set()
        self._path: list[_Node[S]] = []
        self._placed: list[int] = []
        self._best: list[int] = []
        self._best_known = -1
        self._stuck: list[int] = []

    def run(self) -> Counterexample[O] | None:
        self._enter(0, 0, self._model.initial, 0)
        while self._path:
            node = self._path[-1]
            if node.known == self._known:
                return None
            for choice in node.choices:
                if self._place(node, choice):
                    break
            else:
                self._path.pop()
                if self._placed:
                    self._placed.pop()
        return self._counterexample()

    def _enter(self, first: int, later: int, state: S, known: int) -> None:
        choices = self._likely_first(self._choices(first, later), state)
        self._path.append(_Node(first, later, state, known, iter(choices)))
        if known > self._best_known:
            self._best_known, self._best, self._stuck = known, list(self._placed), choices

    def _place(self, node: _Node[S], choice: int) -> bool:
        """Try a call next; return whether that is possible and new."""
        call = self._calls[choice]
        state, result = self._model.apply(node.state, call.operation)
        if call.is_unknown:
            if state == node.state:
                # It makes no difference, so it need not take effect.
                return False
        elif not is_same(call.result, result):
            return False
        first, later = _with(node.first, node.later, choice)
        if (key := (first, later, state)) in self._seen:
            return False
        if len(self._seen) >= STATES_MAX:
            raise RuntimeError(
                f"After {STATES_MAX:,} states it is not clear whether the calls are linearizable; "
                "check fewer calls, or give a key by which they are independent."
            )
        self._seen.add(key)
        self._placed.append(choice)
        self._enter(first, later, state, node.known + (not call.is_unknown))
        return True

    def _choices(self, first: int, later: int) -> list[int]:
        """Return the calls that were made before any other of the rest had returned."""
        choices, returned = list[int](), math.inf
        for number in range(first, len(self._calls)):
            if later >> (number - first) & 1:
                continue
            call = self._calls[number]
            if call.invoked > returned:
                break
            choices.append(number)
            returned = min(returned, call.returned)
        return choices

    def _likely_first(self, choices: list[int], state: S) -> list[int]:
        """Put calls first that fit and change nothing: with one that reads this is always right."""

        def is_unlikely(choice: int) -> bool:
            call = self._calls[choice]
            after, result = self._model.apply(state, call.operation)
            return call.is_unknown or after != state or not is_same(call.result, result)

        return sorted(choices, key=is_unlikely)

    def _counterexample(self) -> Counterexample[O]:
        state, placed = self._model.initial, list[Placed[O]]()
        for number in self._best:
            state, _ = self._model.apply(state, self._calls[number].operation)
            placed.append(Placed(self._calls[number], state))
        calls = [self._calls[number] for number in self._stuck]
        return Counterexample(tuple(placed), tuple(self._unplaced(calls, state)))

    def _unplaced(self, calls: Iterable[Call[O]], state: S) -> Iterator[Unplaced[O]]:
        for call in calls:
            if not call.is_unknown:
                yield Unplaced(call, self._model.apply(state, call.operation)[1])


def _with(first: int, later: int, number: int) -> tuple[int, int]:
    later |= 1 << (number - first)
    while later & 1:
        first, later = first + 1, later >> 1
    return first, later
