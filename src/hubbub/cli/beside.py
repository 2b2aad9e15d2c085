"""Doing several things beside each other until one of them ends."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import anyio

from ..errors import HubbubError

__all__ = ["first_to_end"]


async def first_to_end(*works: Callable[[], Awaitable[None]]) -> None:
    """
    Do several things; the first to end, well or badly, ends them all.

    Raises:
        HubbubError: what the first of them raised, by itself and not in a group.
    """
    errors: list[HubbubError] = []
    async with anyio.create_task_group() as tasks:

        async def run(work: Callable[[], Awaitable[None]]) -> None:
            try:
                await work()
            except HubbubError as error:
                # Raised here it would come out of the tasks as a group.
                errors.append(error)
            tasks.cancel_scope.cancel()

        for work in works:
            tasks.start_soon(run, work)
    if errors:
        raise errors[0]
