"""One promise of a library, and how it is put to the test."""

from __future__ import annotations

import traceback
from collections.abc import Awaitable, Callable, Iterator
from importlib.metadata import version
from platform import python_version
from typing import NamedTuple

from hubbub.testing.simulation import explore
from hubbub.testing.simulation.run import LoopName

__all__ = ["ASYNCIO", "BOTH", "TRIO", "Case", "Outcome", "tried"]

ASYNCIO: tuple[LoopName, ...] = ("asyncio",)
TRIO: tuple[LoopName, ...] = ("trio",)
BOTH: tuple[LoopName, ...] = ("asyncio", "trio")


class Case(NamedTuple):
    """
    A promise.

    Args:
        library: the name of its distribution; ``cpython`` is the standard library.
        promise: what should hold, in a few words.
        run: tries it once, with chance from the simulation.
        backends: the event loops that the library is for.
        breaks: what happens instead; None if the promise holds.
        seeds: how many schedules are tried.
        known: where it was reported by others.
    """

    library: str
    promise: str
    run: Callable[[], Awaitable[object]]
    backends: tuple[LoopName, ...] = BOTH
    breaks: str | None = None
    seeds: int = 200
    known: str | None = None

    @property
    def name(self) -> str:
        """The library with its version."""
        if self.library == "services":
            return "a naive service"
        if self.library == "cpython":
            return f"CPython {python_version()}"
        return f"{self.library} {version(self.library)}"


class Outcome(NamedTuple):
    """The result on one event loop: the seed that failed and how, or None twice."""

    seed: int | None
    error: str | None


def tried(case: Case, backend: LoopName) -> Outcome:
    """Run a case under its seeds, until one fails."""
    running = [0]

    async def run() -> None:
        await case.run()

    try:
        explore(run, backend=backend, seeds=_told(case.seeds, running), shrink=False)
    except Exception as error:
        return Outcome(running[0], "".join(traceback.format_exception(error)))
    return Outcome(None, None)


def _told(seeds: int, running: list[int]) -> Iterator[int]:
    for seed in range(seeds):
        running[0] = seed
        yield seed
