"""
Concurrent programs that hypothesis draws, for an object whose methods are async.

Several tasks make calls at the same time, as in "Finding Race Conditions in Erlang with QuickCheck
and PULSE" (Claessen and others, 2009). A history of the calls is then checked against a model:
:meth:`History.linearizable`. hypothesis makes a failing program shorter, and the seed smaller.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import anyio

from .history import History

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

__all__ = ["Program", "programs", "run_program"]

# A call: the name of a method, and its arguments.
Step = tuple[Any, ...]
# The calls of each task, in order.
Program = Sequence[Sequence[Step]]


def programs(
    methods: Mapping[str, SearchStrategy[tuple[Any, ...]]], *, tasks: int = 3, calls: int = 4
) -> SearchStrategy[Program]:
    """
    Make a strategy for concurrent programs.

    Args:
        methods: the name of a method -> a strategy for its arguments, a tuple of hashable values.
        tasks: how many tasks there are at most.
        calls: how many calls each makes at most.
    """
    from hypothesis import strategies as st  # noqa: PLC0415  # the rest works without it

    steps = [st.tuples(st.just(name), arguments) for name, arguments in methods.items()]
    calls_of = st.one_of(steps).map(lambda drawn: (drawn[0], *drawn[1]))
    return st.lists(st.lists(calls_of, max_size=calls), min_size=1, max_size=tasks)


async def run_program(
    program: Program, target: object, history: History[Step] | None = None
) -> History[Step]:
    """
    Run a program: each list of calls in a task of its own.

    Args:
        program: the calls.
        target: the object with the methods.
        history: records the calls, after others; by default a new one.

    Returns:
        The history: an operation is the name of a method and its arguments. A call that raises an
        exception does not end its task; the model says whether it may.
    """
    record: History[Step] = History() if history is None else history
    async with anyio.create_task_group() as tasks:
        for steps in program:
            tasks.start_soon(_run, steps, target, record)
    return record


async def _run(steps: Sequence[Step], target: object, history: History[Step]) -> None:
    for name, *arguments in steps:
        method = getattr(target, name)
        try:
            await history.call((name, *arguments), lambda: method(*arguments))  # noqa: B023
        except Exception:  # noqa: S112  (the history has it)
            continue
