"""
Virtual time: when nothing can run, the clock jumps to the next timer.

So a minute passes at once, with everything in the same order as in real time, on asyncio
and on trio. A test of timing is an ordinary function::

    def test_the_window_is_a_minute() -> None:
        run_in_virtual_time(fill_the_window_and_wait, backend="trio")

Work in a worker thread takes no virtual time, whichever limiter counts the thread, and whether
you start it with anyio, trio or asyncio. Threads of your own, and sockets, are outside: the clock
cannot see that they are busy, and would jump ahead of their results, unless you set a ``grace``.
"""

from __future__ import annotations

import asyncio
import math
import selectors
from collections import deque
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, TypeVar, TypeVarTuple

import anyio
import trio
from anyio._backends._asyncio import _threadpool_idle_workers, _threadpool_workers
from trio.testing import MockClock, active_thread_count

__all__ = ["EPOCH", "THREAD_SECONDS_MAX", "VirtualClock", "VirtualLoop", "run_in_virtual_time"]

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)

# How long virtual time waits for a worker thread, in real seconds: a thread that is stuck must
# not stop the timers that would report it. It waits so long once for a thread, and a busy machine
# may need it: a password takes a second of work.
THREAD_SECONDS_MAX = 5.0

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
        self._threads = _Threads()
        self._jumping = _JumpingSelector(patience, self._threads)
        super().__init__(self._jumping)

    @property
    def _clock_resolution(self) -> float:
        # asyncio fires timers that are due within this time. With the least that the float can
        # tell apart, no timer fires early, however close another is, and each that is due fires.
        return math.ulp(self.time())

    @_clock_resolution.setter
    def _clock_resolution(self, seconds: float) -> None:
        """Ignore the resolution of the real clock."""

    def time(self) -> float:
        """Return the virtual time in seconds."""
        return self._jumping.skipped

    def watch_threads(self) -> None:
        """Wait for anyio's worker threads too; called once, inside the loop."""
        self._threads.watch_anyio()

    def run_in_executor(  # type: ignore[override]
        self, executor: Executor | None, func: Callable[..., Any], *args: Any
    ) -> asyncio.Future[Any]:
        """Run a function in a thread; the clock waits for it."""
        future = super().run_in_executor(executor, func, *args)
        self._threads.note(future)
        return future

    async def shutdown_default_executor(
        self,
        timeout: float | None = None,  # noqa: ASYNC109  (asyncio calls it so)
    ) -> None:
        """Wait for the executor's threads as long as they take: the timeout is of real time."""
        await super().shutdown_default_executor()


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
    if backend == "trio":
        return anyio.run(async_fn, *args, backend=backend, backend_options=_on_trio(grace))
    loops = list[VirtualLoop]()

    def new_loop() -> VirtualLoop:
        loops.append(VirtualLoop(lambda: grace))
        return loops[-1]

    async def run() -> T:
        loops[-1].watch_threads()
        return await async_fn(*args)

    return anyio.run(run, backend=backend, backend_options={"loop_factory": new_loop})


class _Threads:
    """The worker threads of an asyncio loop."""

    def __init__(self) -> None:
        self._workers = set[Any]()
        self._idle = deque[Any]()
        self._futures = set[Any]()
        # Threads that took too long; when they are done, they count again.
        self._stuck = set[Any]()

    def watch_anyio(self) -> None:
        """Let anyio keep its threads where they can be counted; called in the loop."""
        _threadpool_workers.set(self._workers)
        _threadpool_idle_workers.set(self._idle)

    def note(self, future: asyncio.Future[Any]) -> None:
        """Note that a thread of asyncio's executor works for a future."""
        self._futures.add(future)
        future.add_done_callback(self._futures.discard)

    @property
    def busy(self) -> bool:
        """True while a thread works that does not take too long."""
        self._stuck &= self._all()
        return len(self._all()) > len(self._stuck)

    def give_up(self) -> None:
        """Wait no longer for the threads that work now."""
        self._stuck = self._all()

    def _all(self) -> set[Any]:
        return (self._workers - set(self._idle)) | self._futures


class _JumpingSelector(selectors.DefaultSelector):
    """Waits for the outside world briefly, and for time not at all."""

    def __init__(self, patience: Callable[[], float], threads: _Threads) -> None:
        super().__init__()
        self._patience = patience
        self._threads = threads
        self.skipped = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None or timeout <= 0:
            return super().select(timeout)

        patience, busy = self._patience(), self._threads.busy
        ready = super().select(max(patience, THREAD_SECONDS_MAX) if busy else patience)
        if not ready:
            self._threads.give_up()
            self.skipped += timeout
        return ready


class _Threshold(trio.abc.Instrument):
    """Makes trio's clock wait for worker threads, which it does not know about."""

    def __init__(self, clock: MockClock, grace: float) -> None:
        self._clock = clock
        self._grace = grace
        # How many threads worked at the last step, and how many of them took too long; and when.
        self._busy = 0
        self._stuck = 0
        self._now = clock.current_time()

    def after_task_step(self, task: trio.lowlevel.Task) -> None:
        # A worker thread can begin or end its work for a task only in a step of some task.
        now, busy = self._clock.current_time(), active_thread_count()
        if now != self._now:
            self._now, self._stuck = now, self._busy
        self._busy, self._stuck = busy, min(self._stuck, busy)
        waits = busy > self._stuck
        seconds = max(self._grace, THREAD_SECONDS_MAX) if waits else self._grace
        if self._clock.autojump_threshold != seconds:
            self._clock.autojump_threshold = seconds


def _on_trio(grace: float) -> dict[str, Any]:
    # Until the first step is over there is no timer to jump to.
    clock = MockClock(autojump_threshold=math.inf)
    return {"clock": clock, "instruments": [_Threshold(clock, grace)]}
