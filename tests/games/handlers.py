"""Handlers of games that record their calls, and fail where the test wants it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import anyio

import hubbub

__all__ = ["Calls", "Fault", "Noted", "fail", "hang"]

# The method, the first player of the match, and when.
Calls = list[tuple[str, str, float]]
Fault = Callable[[hubbub.Table], Awaitable[None]]


async def fail(table: hubbub.Table) -> None:
    """Go wrong."""
    raise ValueError("a fault in the game")


async def hang(table: hubbub.Table) -> None:
    """Never come to an end."""
    await anyio.sleep_forever()


class Noted(hubbub.Handler):
    """
    A game that notes its calls.

    Args:
        calls: where they are noted.
        faults: a method -> what it does in ann's matches.
    """

    def __init__(self, calls: Calls, faults: dict[str, Fault]) -> None:
        self._calls = calls
        self._faults = faults

    async def on_start(self, table: hubbub.Table) -> None:
        await self._note("on_start", table)

    async def on_message(self, table: hubbub.Table, player: str, body: dict[str, Any]) -> None:
        await self._note("on_message", table)

    async def on_tick(self, table: hubbub.Table, tick: int) -> None:
        await self._note("on_tick", table)

    async def on_end(self, table: hubbub.Table) -> None:
        await self._note("on_end", table)

    async def _note(self, what: str, table: hubbub.Table) -> None:
        first = table.match.players[0]
        self._calls.append((what, first, round(anyio.current_time(), 3)))
        if first == "ann" and what in self._faults:
            await self._faults[what](table)
