"""
Users of a library that lose patience.

An asyncio library is cancelled as asyncio cancels, by ``Task.cancel``: a scope of anyio spares a
task that was woken already, and so hides what goes wrong when both happen at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random

import anyio

__all__ = ["eighths", "task_cancelled_after", "woken_and_cancelled"]


def eighths(random: Random, most: float) -> float:
    """Draw a time: floats are exact about eighths of a second, so times coincide."""
    return random.randrange(int(most * 8) + 1) / 8


@asynccontextmanager
async def task_cancelled_after(seconds: float) -> AsyncIterator[None]:
    """Cancel the task after a time, as another task of asyncio does; continue after the block."""
    task = asyncio.current_task()
    assert task is not None
    fired = False

    async def cancel() -> None:
        nonlocal fired
        await asyncio.sleep(seconds)
        fired = True
        task.cancel()

    canceller = asyncio.create_task(cancel())
    try:
        yield
    except asyncio.CancelledError:
        if not fired or task.uncancel() > 0:
            raise
    finally:
        canceller.cancel()


@asynccontextmanager
async def woken_and_cancelled(seconds: float) -> AsyncIterator[None]:
    """Cancel a block after a time from another task, on either event loop."""
    async with anyio.create_task_group() as tasks:
        with anyio.CancelScope() as scope:

            async def cancel() -> None:
                await anyio.sleep(seconds)
                scope.cancel()

            tasks.start_soon(cancel)
            yield
        tasks.cancel_scope.cancel()
