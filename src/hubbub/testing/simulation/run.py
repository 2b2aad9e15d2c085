"""Runs an async function in virtual time, with an order of tasks that a seed draws."""

from __future__ import annotations

import gc
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from random import Random
from typing import Any, Literal, TypeVar, TypeVarTuple

import anyio

from .asyncio_loop import SimulatedLoop
from .choices import Choices
from .threads import threads_inline
from .trio_order import JumpingClock, ordered
from .waiting import waiting_places

__all__ = [
    "Deadlock",
    "LoopName",
    "Simulation",
    "current_random",
    "current_simulation",
    "in_simulation",
    "simulate",
]

LoopName = Literal["asyncio", "trio"]

# Turns of the event loop between two collections of garbage. It closes forgotten async generators,
# which is a step like others, so it must come at the same place in each run of a seed.
COLLECT_TURNS = 50_000

T = TypeVar("T")
Args = TypeVarTuple("Args")


class Deadlock(Exception):
    """Every task waits, and no timer is set: nothing will ever happen again."""


def simulate(
    async_fn: Callable[[*Args], Awaitable[T]],
    *args: *Args,
    backend: LoopName,
    seed: int | None = None,
) -> T:
    """
    Run an async function to its end in virtual time, in this thread, and return its result.

    When every task waits, the clock jumps to the next timer. With a seed, the order of the tasks
    that are ready is drawn from it. Worker threads of anyio and trio run in this thread, at a
    drawn moment, so that the same seed gives the same run in every process. Real sockets and
    other threads are outside: nothing waits for them.

    Args:
        async_fn: the function; it gets ``args``.
        backend: the event loop: ``asyncio`` or ``trio``.
        seed: draws the order; None keeps that of the event loop.

    Raises:
        Deadlock: every task waits, and no timer is set; it says where they wait.
        BaseException: the error of the function.
    """
    return Simulation(backend, seed).run(async_fn, *args)


class Simulation:
    """
    One run.

    Args:
        backend: the event loop: ``asyncio`` or ``trio``.
        seed: draws the order and all other chance; None keeps the event loop's order.
        script: choices of an earlier run of this seed, instead of drawn ones.
    """

    def __init__(
        self, backend: LoopName, seed: int | None = None, script: Sequence[int] | None = None
    ) -> None:
        self.backend = backend
        self.seed = seed
        self.random = Random(f"world {seed}")
        self.choices = None if seed is None else Choices(seed, script)
        self.checks: list[Callable[[], None]] = []
        self._thread_random = Random(f"threads {seed}")
        self._failure: BaseException | None = None
        self._turns = 0
        # True while the function runs, and not while the event loop begins or closes.
        self._running = False
        self._scope: anyio.CancelScope

    def run(self, async_fn: Callable[[*Args], Awaitable[T]], *args: *Args) -> T:
        """Run an async function to its end, and return its result; see :func:`simulate`."""

        async def main() -> T:
            token = _current.set(self)
            self._running = True
            try:
                return await self._main(async_fn, *args)
            finally:
                self._running = False
                _current.reset(token)

        with _no_garbage_collection(), threads_inline(_thread_random), ordered(self):
            return anyio.run(main, backend=self.backend, backend_options=self._options())

    def fail(self, error: BaseException) -> None:
        """Cancel the run, and let it raise an error."""
        if self._failure is None:
            self._failure = error
            self._scope.cancel()

    def dead(self) -> None:
        """Fail, because every task waits and no timer is set."""
        if not self._running:
            return
        places = "\n  ".join(waiting_places())
        error = Deadlock(f"Every task waits, and no timer is set:\n  {places}")
        if self._failure is not None:
            # It was cancelled already, and still nothing happens.
            raise error
        self.fail(error)

    def turn(self) -> None:
        """Take note that a turn of the event loop begins."""
        self._turns += 1
        if self._turns % COLLECT_TURNS == 0:
            gc.collect()

    def after_step(self) -> None:
        """Check what must always hold."""
        for check in self.checks:
            try:
                check()
            except Exception as error:
                self.fail(error)

    async def _main(self, async_fn: Callable[[*Args], Awaitable[T]], *args: *Args) -> T:
        results: list[T] = []
        try:
            with anyio.CancelScope() as self._scope:
                results.append(await async_fn(*args))
        except Exception as error:
            if self._failure is None:
                raise
            raise self._failure from error
        if self._failure is not None:
            raise self._failure
        return results[0]

    def _options(self) -> dict[str, Any]:
        if self.backend == "trio":
            return {"clock": JumpingClock(self)}
        return {"loop_factory": lambda: SimulatedLoop(self)}


def in_simulation() -> bool:
    """Return whether this task, or its thread, runs in a simulation."""
    return _current.get(None) is not None


def current_simulation() -> Simulation:
    """
    Return the simulation that this task runs in.

    Raises:
        RuntimeError: it runs in none.
    """
    simulation = _current.get(None)
    if simulation is None:
        raise RuntimeError("No simulation runs here: use simulate, explore or the simulated mark.")
    return simulation


def current_random() -> Random:
    """
    Return what draws the chance of this simulation: the same seed, the same chance.

    Raises:
        RuntimeError: no simulation runs here.
    """
    return current_simulation().random


_current: ContextVar[Simulation] = ContextVar("hubbub_simulation")


def _thread_random() -> Random | None:
    simulation = _current.get(None)
    return None if simulation is None else simulation._thread_random


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
