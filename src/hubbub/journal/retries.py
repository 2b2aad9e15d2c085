"""Work that waits until a store that has failed works again."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

import anyio

__all__ = ["Retries"]


class Retries:
    """
    Tries work again after a pause: each name once, however often its work fails meanwhile.

    The store's health logs that it fails, so nothing is logged here.

    Args:
        work: called with a name.
        seconds: the pause.
        start: runs a task in the hub, from anywhere.
    """

    def __init__(
        self,
        work: Callable[[str], Coroutine[Any, Any, None]],
        seconds: float,
        start: Callable[..., object],
    ) -> None:
        self._work = work
        self._seconds = seconds
        self._start = start
        self._waiting: set[str] = set()

    def later(self, name: str) -> None:
        """Do the work for a name after the pause."""
        if name not in self._waiting:
            self._waiting.add(name)
            self._start(self._again, name)

    async def _again(self, name: str) -> None:
        await anyio.sleep(self._seconds)
        self._waiting.discard(name)
        await self._work(name)
