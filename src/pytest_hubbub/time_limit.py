"""Cancels a test that takes too long, and says where every task waits."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Awaitable, Callable

import anyio
import pytest

from hubbub.testing.simulation import waiting_places

from .deferred import has_cancellation

__all__ = ["limited"]

WATCHING = "time limit of the test"


def limited(seconds: float, run: Callable[[], Awaitable[None]]) -> Callable[[], Awaitable[None]]:
    """
    Limit the time of an async function.

    Args:
        seconds: of the event loop's time; in a simulation it is virtual.
        run: the function.
    """

    async def instead() -> None:
        places: list[str] = []
        own = str(anyio.get_current_task().name)
        error: BaseException | None = None
        async with anyio.create_task_group() as group:
            with anyio.CancelScope() as scope:
                group.start_soon(_cancel_late, seconds, scope, places, name=WATCHING)
                try:
                    await run()
                except BaseException as raised:
                    if has_cancellation(raised):
                        raise
                    # The group would put it into a group of its own.
                    error = raised
            group.cancel_scope.cancel()
        if places:
            listed = "\n  ".join(_counted(places, own))
            raise pytest.fail.Exception(
                f"The test took longer than {seconds:g} seconds. Its tasks were here:\n  {listed}",
                pytrace=False,
            ) from error
        if error is not None:
            raise error

    return instead


async def _cancel_late(seconds: float, scope: anyio.CancelScope, places: list[str]) -> None:
    await anyio.sleep(seconds)
    places += [line for line in waiting_places() if not line.startswith(f"{WATCHING}:")]
    scope.cancel()


def _counted(places: list[str], own: str) -> list[str]:
    """Begin with the test itself, and list tasks of the same name at the same place as one."""
    named = [re.sub(rf"^{re.escape(own)}:", "the test:", place) for place in places]
    counted = Counter(sorted(named, key=lambda place: not place.startswith("the test:")))
    return [f"{place} ({n} tasks)" if n > 1 else place for place, n in counted.items()]
