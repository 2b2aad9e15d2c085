"""Worker threads of the journal's own, so that the application's busy ones do not delay it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, Generic, TypeVar

import anyio
from anyio import CapacityLimiter, WouldBlock, to_thread

from ..errors import StorageError

__all__ = ["LateWork", "Run", "Threads"]

T = TypeVar("T")


class Threads:
    """
    Threads for one purpose.

    Args:
        count: the number of threads; more work waits.
    """

    def __init__(self, count: int) -> None:
        self._limiter = CapacityLimiter(count)

    async def run(self, work: Callable[..., T], *args: object, abandon: bool = False) -> T:
        """
        Run a function in a thread and return its result.

        Args:
            work: called with ``args``.
            abandon: True if a cancelled caller does not wait for the thread.
        """
        # anyio's own limiter counts it if possible, because virtual clocks check that limiter;
        # the work never waits for it, however many threads the application has busy.
        everybody, borrower = to_thread.current_default_thread_limiter(), object()
        try:
            everybody.acquire_on_behalf_of_nowait(borrower)
        except WouldBlock:
            return await self._run(work, *args, abandon=abandon)
        try:
            return await self._run(work, *args, abandon=abandon)
        finally:
            everybody.release_on_behalf_of(borrower)

    async def _run(self, work: Callable[..., T], *args: object, abandon: bool) -> T:
        return await to_thread.run_sync(
            work, *args, abandon_on_cancel=abandon, limiter=self._limiter
        )

    async def run_until(self, seconds: float, work: Callable[..., T], *args: object) -> T:
        """
        Run a function in a thread, up to a deadline; nothing else cancels the wait.

        Raises:
            LateWork: the thread is still running, and its result is unknown.
            StorageError: no thread has started it, and none will.
        """
        run = Run(work, args)
        with anyio.move_on_after(seconds, shield=True):
            await self.run(run, abandon=True)
        if run.ended.is_set():
            return run.outcome()
        if run.claim():
            raise StorageError(
                f"The store did not answer for {seconds:g} s, because the server had no free "
                "thread. Nothing of this command was written; try again."
            )
        raise LateWork(run)


class Run(Generic[T]):
    """
    A function that runs in a thread, and its outcome.

    Args:
        work: called with ``args``, unless it is withdrawn before a thread has started it.
    """

    __slots__ = ("_args", "_begun", "_error", "_value", "_work", "ended")

    def __init__(self, work: Callable[..., T], args: tuple[Any, ...]) -> None:
        self.ended = threading.Event()
        # Held by the thread, or by the caller who withdrew the work, whichever came first.
        self._begun = threading.Lock()
        self._work = work
        self._args = args
        self._value: T | None = None
        self._error: Exception | None = None

    def __call__(self) -> None:
        """Run the function, in the thread."""
        if not self.claim():
            return
        try:
            self._value = self._work(*self._args)
        except Exception as error:
            self._error = error
        finally:
            self.ended.set()

    def claim(self) -> bool:
        """Claim the work; only the first claim returns True: the thread's or its caller's."""
        return self._begun.acquire(blocking=False)

    def outcome(self) -> T:
        """Return the function's result, or raise its exception, once it has ended."""
        assert self.ended.is_set()
        if self._error is not None:
            raise self._error
        return self._value  # type: ignore[return-value]


class LateWork(Exception):
    """A thread is still running after its deadline."""

    def __init__(self, run: Run[Any]) -> None:
        super().__init__("a thread is late")
        self.run = run
