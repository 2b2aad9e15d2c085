"""Worker threads of the journal's own: the application's busy ones do not hold it up."""

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
    Some threads for one purpose.

    Args:
        count: how many run at one time; more work waits.
    """

    def __init__(self, count: int) -> None:
        self._limiter = CapacityLimiter(count)

    async def run(self, work: Callable[..., T], *args: object, abandon: bool = False) -> T:
        """
        Run something in a thread and return what it returns.

        Args:
            work: called with ``args``.
            abandon: True if a cancelled caller does not wait for the thread.
        """
        # anyio's own limiter counts it if it can, for that is what virtual time looks
        # at; it is never waited for, however many threads the application has busy.
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
        Run something in a thread, up to a deadline; nothing else cancels the wait.

        Raises:
            LateWork: the thread is at it still; nobody knows yet what comes of it.
            StorageError: no thread has begun with it, and none will.
        """
        run = Run(work, args)
        with anyio.move_on_after(seconds, shield=True):
            await self.run(run, abandon=True)
        if run.ended.is_set():
            return run.outcome()
        if run.claim():
            raise StorageError(
                f"The store did not answer for {seconds:g} s, for the server had no thread for it. "
                "Nothing of this command was kept; try again."
            )
        raise LateWork(run)


class Run(Generic[T]):
    """
    One piece of work in a thread, and what became of it.

    Args:
        work: called with ``args``, unless it is withdrawn before a thread has begun.
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
        """Do the work, in the thread."""
        if not self.claim():
            return
        try:
            self._value = self._work(*self._args)
        except Exception as error:
            self._error = error
        finally:
            self.ended.set()

    def claim(self) -> bool:
        """Take the work: True for the first, so the thread and its caller cannot both have it."""
        return self._begun.acquire(blocking=False)

    def outcome(self) -> T:
        """Return what the work returned, or raise what it raised, once it has ended."""
        assert self.ended.is_set()
        if self._error is not None:
            raise self._error
        return self._value  # type: ignore[return-value]


class LateWork(Exception):
    """A thread is at its work still, though its time is over."""

    def __init__(self, run: Run[Any]) -> None:
        super().__init__("a thread is late")
        self.run = run
