"""Doing something that may take its time, or be refused."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import anyio

from ..errors import HubbubError, RateLimited
from .lines import note
from .screen import Screen

__all__ = ["SLOW_SECONDS", "attempt"]

# After so long without an answer one is told.
SLOW_SECONDS = 2.0


async def attempt(
    screen: Screen, work: Callable[[], Awaitable[None]], *, slow_seconds: float = SLOW_SECONDS
) -> bool:
    """
    Do something; tell if there is no answer, or a refusal.

    Args:
        screen: where it is told. A patient one waits until it is its turn again.
        work: what to do.
        slow_seconds: after so long without an answer it is told; infinity for never.

    Returns:
        True if it was done, False if it was refused.
    """
    while True:
        error = await _refusal(screen, work, slow_seconds)
        if error is None:
            return True
        screen.complain(error.message)
        if not (screen.patient and isinstance(error, RateLimited) and error.retry_after):
            return False
        await anyio.sleep(error.retry_after)


async def _refusal(
    screen: Screen, work: Callable[[], Awaitable[None]], slow_seconds: float
) -> HubbubError | None:
    error = None
    async with anyio.create_task_group() as tasks:
        waiting = _Waiting(screen, slow_seconds)
        tasks.start_soon(waiting.tell)
        try:
            await work()
        except HubbubError as raised:
            # Raised here it would come out of the tasks as a group.
            error = raised
        tasks.cancel_scope.cancel()
    if waiting.told:
        screen.show(note("Back again."))
    return error


class _Waiting:
    def __init__(self, screen: Screen, seconds: float) -> None:
        self.told = False
        self._screen = screen
        self._seconds = seconds

    async def tell(self) -> None:
        await anyio.sleep(self._seconds)
        self.told = True
        self._screen.show(note("No answer: the connection is lost, or slow. Coming back …"))
