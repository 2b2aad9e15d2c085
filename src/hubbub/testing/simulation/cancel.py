"""Cancels an async function wherever it waits."""

from __future__ import annotations

import types
from collections.abc import Awaitable, Callable, Coroutine, Generator
from typing import Any

import anyio

__all__ = ["cancel_everywhere"]

# A function that waits more often is probably waiting in a loop.
WAITS_MAX = 10_000


async def cancel_everywhere(
    async_fn: Callable[[], Coroutine[Any, Any, object]],
    *,
    check: Callable[[bool], Awaitable[object]] | None = None,
) -> int:
    """
    Run an async function again and again, cancelled where it waits for the 1st, 2nd, 3rd … time.

    The last run is not cancelled, because it does not wait so often. It works on every event
    loop, in virtual time and in real time.

    Args:
        async_fn: the function; it makes new objects, or leaves them fit for the next run.
        check: called after each run, outside of the cancellation, with True if the run was
            cancelled; it raises if something is broken.

    Returns:
        At how many places the function was cancelled.

    Raises:
        BaseException: the error of the function or of ``check``; a note says at which place the
            function was cancelled.
        AssertionError: it waits more than 10,000 times.
    """
    for place in range(1, WAITS_MAX + 1):
        run = _Run(place)
        try:
            with run.scope:
                await _stepping(async_fn(), run.waits)
            if check is not None:
                await check(run.scope.cancelled_caught)
        except Exception as error:
            if run.reached:
                error.add_note(f"It was cancelled where it waited for time number {place}.")
            raise
        if not run.reached:
            return place - 1
    raise AssertionError(f"The function waits more than {WAITS_MAX:,} times.")


class _Run:
    """One run, cancelled at a place."""

    def __init__(self, place: int) -> None:
        self.scope = anyio.CancelScope()
        self._left = place

    @property
    def reached(self) -> bool:
        """True if the function waited so often."""
        return self._left <= 0

    def waits(self) -> None:
        """Take note that the function is about to wait."""
        self._left -= 1
        if self._left == 0:
            self.scope.cancel()


@types.coroutine
def _stepping(
    coroutine: Coroutine[Any, Any, object], waits: Callable[[], None]
) -> Generator[Any, Any, None]:
    """Drive a coroutine, whatever its event loop, and tell whenever it is about to wait."""
    resume, value = coroutine.send, None
    while True:
        try:
            message = resume(value)
        except StopIteration:
            return
        waits()
        try:
            value = yield message
        except BaseException as error:
            # The event loop throws its cancellation in: it belongs to the coroutine.
            resume, value = coroutine.throw, error
        else:
            resume = coroutine.send
