"""The parts of an event loop that anyio has no interface for."""

from __future__ import annotations

import asyncio  # noqa: TID251  # it is about what asyncio and trio do differently
from collections.abc import Callable

import anyio
import trio  # noqa: TID251  # so it is

__all__ = ["call_when_readable", "clock_of_loop", "runs_asyncio"]


def runs_asyncio() -> bool:
    """Return whether this code runs in an event loop of asyncio."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def clock_of_loop() -> Callable[[], float]:
    """Return the clock of the running event loop, which callbacks can read as well as tasks."""
    return asyncio.get_running_loop().time if runs_asyncio() else trio.current_time


async def call_when_readable(fd: int, call: Callable[[], None]) -> None:
    """
    Call a function whenever a descriptor can be read, until cancelled.

    Args:
        fd: the descriptor.
        call: reads it, and raises nothing.
    """
    if not runs_asyncio():
        while True:
            await trio.lowlevel.wait_readable(fd)
            call()
    # One registration for all calls: a task that waits for each would be most of their cost.
    loop = asyncio.get_running_loop()
    loop.add_reader(fd, call)
    try:
        await anyio.sleep_forever()
    finally:
        loop.remove_reader(fd)
