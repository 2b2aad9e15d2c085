"""Runs an async function under many seeds, and makes the first failure simple."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterable, Iterator

from .run import LoopName, Simulation
from .shrinking import simpler

__all__ = ["explore"]

# How many runs make a failure simpler.
SHRINK_RUNS_MAX = 300
# How long they take, in real seconds.
SHRINK_SECONDS_MAX = 20.0
# How many choices out of order a note lists.
LISTED_MAX = 20


def explore(
    async_fn: Callable[[], Awaitable[object]],
    *,
    backend: LoopName,
    seeds: int | Iterable[int] = 200,
    shrink: bool = True,
) -> None:
    """
    Run an async function under many seeds; raise the first failure.

    Its notes say the seed, which repeats the failure, and what was out of order in the simplest
    run that fails in the same way.

    Args:
        async_fn: the function. It makes new objects each time: a seed finds others as the seed
            before has left them.
        backend: the event loop: ``asyncio`` or ``trio``.
        seeds: how many, from 0, or which.
        shrink: whether to look for a simpler run.

    Raises:
        BaseException: the error of the function.
    """
    for passed, seed in enumerate(range(seeds) if isinstance(seeds, int) else seeds):
        try:
            Simulation(backend, seed).run(async_fn)
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:
            error.add_note(f"Seed {seed} fails on {backend}; {passed} seeds passed before it.")
            if shrink and isinstance(error, Exception):
                for line in _simplest(async_fn, backend, seed, error):
                    error.add_note(line)
            raise


def _simplest(
    async_fn: Callable[[], Awaitable[object]], backend: LoopName, seed: int, error: Exception
) -> Iterator[str]:
    wanted = _kinds(error)
    ends = time.perf_counter() + SHRINK_SECONDS_MAX

    def fails(script: list[int] | None, told: list[str] | None = None) -> list[int] | None:
        """Run again; return the choices that it took, if it fails in the same way."""
        if time.perf_counter() > ends:
            return None
        run = Simulation(backend, seed, script)
        assert run.choices is not None
        run.choices.told = told
        record = run.choices.record = []
        try:
            run.run(async_fn)
        except Exception as again:
            return record if _kinds(again) == wanted else None
        return None

    first = fails(None)
    if first is None:
        yield (
            "It does not fail again under the same seed, so something else decides: the clock, "
            "chance without a seed, the order of a set, a file, or what an earlier run has left."
        )
        return
    best = simpler(first, lambda script: fails(script) is not None, SHRINK_RUNS_MAX)
    told: list[str] = []
    fails(best, told)
    if not told:
        yield "It fails in the order in which the tasks were made, so no rare order is needed."
        return
    yield f"It needs {len(told)} of {len(first)} choices out of order:"
    yield from (f"  {line}" for line in told[:LISTED_MAX])
    if len(told) > LISTED_MAX:
        yield f"  and {len(told) - LISTED_MAX} more"


def _kinds(error: BaseException) -> set[type[BaseException]]:
    if isinstance(error, BaseExceptionGroup):
        return {kind for inner in error.exceptions for kind in _kinds(inner)}
    return {type(error)}
