"""
Virtual time: when nothing can run, the clock jumps to the next timer.

So a minute passes at once, with everything in the same order as in real time, on asyncio
and on trio. A test of timing is an ordinary function::

    def test_the_window_is_a_minute() -> None:
        run_in_virtual_time(fill_the_window_and_wait, backend="trio")

Work in a worker thread takes no virtual time, if anyio's default limiter counts the thread.
Other threads, and sockets, are outside: the clock cannot see that they are busy, and would jump
ahead of their results, unless you set a ``grace``.
"""

from __future__ import annotations

import asyncio
import math
import selectors
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, TypeVar, TypeVarTuple

import anyio
import trio
from anyio import CapacityLimiter, to_thread
from trio.testing import MockClock

__all__ = ["EPOCH", "THREAD_SECONDS_MAX", "VirtualClock", "VirtualLoop", "run_in_virtual_time"]

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)

# How long virtual time waits for a worker thread, in real seconds: a thread that is stuck must
# not stop the timers that would report it.
THREAD_SECONDS_MAX = 1.0

T = TypeVar("T")
Args = TypeVarTuple("Args")


class VirtualClock:
    """
    A clock that follows the event loop: :data:`EPOCH` is when the loop's time is 0.

    In virtual time every run begins at :data:`EPOCH`. You can read it only inside an event
    loop.
    """

    def now(self) -> datetime:
        """Return the current time in UTC."""
        return EPOCH + timedelta(seconds=self.monotonic())

    def monotonic(self) -> float:
        """Return the event loop's time in seconds."""
        return anyio.current_time()

    async def advance(self, seconds: float) -> None:
        """
        Sleep; in virtual time other tasks do meanwhile what they have to do until then.

        Args:
            seconds: how long; 0 or more.
        """
        await anyio.sleep(seconds)


class VirtualLoop(asyncio.SelectorEventLoop):
    """
    An asyncio event loop in virtual time, which begins at 0.

    Args:
        patience: returns for how many real seconds, from now, the outside world can still
            wake the loop before its clock jumps.
    """

    def __init__(self, patience: Callable[[], float] = lambda: 0.0) -> None:
        self._jumping = _JumpingSelector(patience)
        super().__init__(self._jumping)
        # asyncio fires timers that are due within this resolution; its nanosecond would be lost in
        # the float of a hundred days, and a due timer would never fire.
        self._clock_resolution = 1e-6

    def time(self) -> float:
        """Return the virtual time in seconds."""
        return self._jumping.skipped


def run_in_virtual_time(
    async_fn: Callable[[*Args], Awaitable[T]],
    *args: *Args,
    backend: Literal["asyncio", "trio"],
    grace: float = 0.0,
) -> T:
    """
    Run a coroutine function in virtual time, in this thread, and return its result.

    Args:
        async_fn: the function; it gets ``args``.
        backend: the event loop: ``asyncio`` or ``trio``.
        grace: real seconds without any activity after which the clock jumps. Worker
            threads get at least ``THREAD_SECONDS_MAX``.

    Raises:
        BaseException: the error of the function.
    """
    patience = _Patience(grace)

    async def run() -> T:
        patience.workers = to_thread.current_default_thread_limiter()
        return await async_fn(*args)

    options = _on_trio(patience) if backend == "trio" else _on_asyncio(patience)
    return anyio.run(run, backend=backend, backend_options=options)


class _Patience:
    """Returns for how many real seconds the clock must wait before it jumps."""

    def __init__(self, grace: float) -> None:
        self.workers: CapacityLimiter | None = None
        self._grace = grace

    def __call__(self) -> float:
        if self.workers is not None and self.workers.borrowed_tokens:
            return max(self._grace, THREAD_SECONDS_MAX)
        return self._grace


class _JumpingSelector(selectors.DefaultSelector):
    """Waits for the outside world briefly, and for time not at all."""

    def __init__(self, patience: Callable[[], float]) -> None:
        super().__init__()
        self._patience = patience
        self.skipped = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None or timeout <= 0:
            return super().select(timeout)

        ready = super().select(self._patience())
        if not ready:
            self.skipped += timeout
        return ready


class _Threshold(trio.abc.Instrument):
    """Makes trio's clock wait for worker threads, which it does not know about."""

    def __init__(self, clock: MockClock, patience: _Patience) -> None:
        self._clock = clock
        self._patience = patience

    def after_task_step(self, task: trio.lowlevel.Task) -> None:
        # A worker thread can begin or end its work for a task only in a step of some task.
        if self._clock.autojump_threshold != (seconds := self._patience()):
            self._clock.autojump_threshold = seconds


def _on_asyncio(patience: _Patience) -> dict[str, Any]:
    return {"loop_factory": lambda: VirtualLoop(patience)}


def _on_trio(patience: _Patience) -> dict[str, Any]:
    # Until the first step is over there is no timer to jump to.
    clock = MockClock(autojump_threshold=math.inf)
    return {"clock": clock, "instruments": [_Threshold(clock, patience)]}
