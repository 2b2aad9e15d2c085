"""
Virtual time: when nothing can run, the clock jumps to the next timer.

So a minute passes at once, in the same order as it would in a minute, on asyncio
and on trio. A test of what time does is an ordinary function::

    def test_the_window_is_a_minute() -> None:
        run_in_virtual_time(fill_the_window_and_wait, backend="trio")

What a worker thread does takes no virtual time, if anyio's default limiter counts
it. Other threads, and sockets, are outside: the clock cannot see that they are
busy and would jump over their answers, unless it is given a ``grace``.
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

# How long virtual time waits for a worker thread, in real seconds: one that is stuck must not
# stop the timers that would report it.
THREAD_SECONDS_MAX = 1.0

T = TypeVar("T")
Args = TypeVarTuple("Args")


class VirtualClock:
    """
    A clock that goes with the event loop: :data:`EPOCH` is when the loop's time is 0.

    In virtual time every run begins at :data:`EPOCH`. It is read inside an event
    loop only.
    """

    def now(self) -> datetime:
        """Return the time of day in UTC."""
        return EPOCH + timedelta(seconds=self.monotonic())

    def monotonic(self) -> float:
        """Return the event loop's time in seconds."""
        return anyio.current_time()


class VirtualLoop(asyncio.SelectorEventLoop):
    """
    An asyncio event loop in virtual time; its time begins at 0.

    Args:
        patience: for how many real seconds, from now, the world outside may still
            wake the loop before its clock jumps.
    """

    def __init__(self, patience: Callable[[], float] = lambda: 0.0) -> None:
        self._jumping = _JumpingSelector(patience)
        super().__init__(self._jumping)
        # asyncio fires what is due within this; its nanosecond would be lost in the float
        # that holds a hundred days, and a timer that is due would never fire.
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
    Run a coroutine function to its end, in this thread and in virtual time.

    Args:
        async_fn: called with ``args``.
        backend: the event loop to run it on.
        grace: real seconds without any news after which the clock jumps. Worker
            threads get ``THREAD_SECONDS_MAX`` at least.
    """
    patience = _Patience(grace)

    async def run() -> T:
        patience.workers = to_thread.current_default_thread_limiter()
        return await async_fn(*args)

    options = _on_trio(patience) if backend == "trio" else _on_asyncio(patience)
    return anyio.run(run, backend=backend, backend_options=options)


class _Patience:
    """Says for how many real seconds the clock must wait before it jumps."""

    def __init__(self, grace: float) -> None:
        self.workers: CapacityLimiter | None = None
        self._grace = grace

    def __call__(self) -> float:
        if self.workers is not None and self.workers.borrowed_tokens:
            return max(self._grace, THREAD_SECONDS_MAX)
        return self._grace


class _JumpingSelector(selectors.DefaultSelector):
    """Waits for the world outside a little, and for time not at all."""

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
    """Tells trio's clock about worker threads, of which it knows nothing by itself."""

    def __init__(self, clock: MockClock, patience: _Patience) -> None:
        self._clock = clock
        self._patience = patience

    def after_task_step(self, task: trio.lowlevel.Task) -> None:
        # No thread begins or ends its work for a task outside a step of some task.
        if self._clock.autojump_threshold != (seconds := self._patience()):
            self._clock.autojump_threshold = seconds


def _on_asyncio(patience: _Patience) -> dict[str, Any]:
    return {"loop_factory": lambda: VirtualLoop(patience)}


def _on_trio(patience: _Patience) -> dict[str, Any]:
    # Until the first step is over there is nothing to jump to.
    clock = MockClock(autojump_threshold=math.inf)
    return {"clock": clock, "instruments": [_Threshold(clock, patience)]}
