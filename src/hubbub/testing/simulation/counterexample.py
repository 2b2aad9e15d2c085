"""Calls of a history, and why no order of them is possible."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

__all__ = ["Call", "Counterexample", "Placed", "Unplaced"]

# Longer values are cut off in the table, in characters.
SHOWN = 60

O = TypeVar("O", bound=Hashable)  # noqa: E741  (an operation)


@dataclass(frozen=True)
class Call(Generic[O]):
    """
    A call.

    Args:
        operation: what was called, with its arguments.
        invoked: when, as a number that only grows.
        returned: when it returned; infinite if its outcome is unknown.
        result: what it returned, or the exception that it raised.
    """

    operation: O
    invoked: float
    returned: float = math.inf
    result: object = None

    @property
    def is_unknown(self) -> bool:
        """Whether nobody knows if it took effect."""
        return self.returned == math.inf


@dataclass(frozen=True)
class Placed(Generic[O]):
    """
    A call that has its place in the order.

    Args:
        call: the call.
        state: the model's state after it.
    """

    call: Call[O]
    state: object


@dataclass(frozen=True)
class Unplaced(Generic[O]):
    """
    A call that should come next and cannot.

    Args:
        call: the call.
        expected: what it would have to return there.
    """

    call: Call[O]
    expected: object


@dataclass(frozen=True)
class Counterexample(Generic[O]):
    """
    Why calls are not linearizable; as a string it is a table.

    Args:
        placed: the longest order that was found, without the calls that have no place in it.
        unplaced: the calls of which one must come next, with what the model returns for each.
    """

    placed: tuple[Placed[O], ...]
    unplaced: tuple[Unplaced[O], ...]

    def __str__(self) -> str:
        rows = [("", "made", "returned", "operation", "result", "model")]
        rows += [
            (str(number), *_columns(step.call), f"then {_shown(step.state)}")
            for number, step in enumerate(self.placed, 1)
        ]
        rows += [
            ("?", *_columns(step.call), f"expects {_shown(step.expected)}")
            for step in self.unplaced
        ]
        return (
            "The calls are not linearizable: in this order, the longest that was found, one of the "
            "calls with a question mark must come next, and the model expects another result.\n"
            + "\n".join(_lines(rows))
        )


def _columns(call: Call[O]) -> tuple[str, str, str, str]:
    unknown = call.is_unknown
    returned = "?" if unknown else f"{call.returned:g}"
    result = "unknown" if unknown else _shown(call.result)
    return f"{call.invoked:g}", returned, _shown(call.operation), result


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"


def _lines(rows: list[tuple[str, str, str, str, str, str]]) -> Iterable[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        columns = [text.ljust(width) for text, width in zip(row, widths, strict=True)]
        yield "  ".join(columns).rstrip()
