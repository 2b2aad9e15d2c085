"""A lobby with people in it, in virtual time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Literal

import anyio
import pytest
from anyio.abc import TaskGroup

from hubbub.errors import HubbubError
from hubbub.games.matches.game import Game
from hubbub.games.matches.match import Match
from hubbub.games.matches.rules import FirstTo
from hubbub.games.matchmaking.matchmaker import Matchmaker, MatchSearch
from hubbub.games.matchmaking.pool import Widening
from hubbub.testing import EPOCH, VirtualClock, run_in_virtual_time

__all__ = ["Backend", "Hall", "Met", "match_of", "on_each_backend", "what_happens"]

Backend = Literal["asyncio", "trio"]
# When somebody's search has ended, and how: with these players, with an error, or given up.
Met = tuple[float, str | type[HubbubError] | None]

on_each_backend = pytest.mark.parametrize("backend", ["asyncio", "trio"])

GAMES = {
    "duel": Game(size=2),
    "trio": Game(size=3),
    "wide": Game(rating_range=500, rating_range_per_second=0),
    "slow": Game(rating_range_per_second=1),
}
# 100 points at first, and 10 more for each second.
WIDENING = Widening(100, 10)


class Hall:
    """
    A lobby, and users who search for a match in it.

    Args:
        tasks: runs both.
    """

    def __init__(self, tasks: TaskGroup) -> None:
        self.matchmaker = Matchmaker(VirtualClock(), GAMES, WIDENING, self.begin)
        self.met: dict[str, Met] = {}
        # How long it takes until a match is decided, and then until it is written.
        self.deciding = self.writing = 0.0
        self.refusal: HubbubError | None = None
        # Every group that was found, also if nothing came of it.
        self.groups: list[str] = []
        self.closing = anyio.CancelScope()
        self.closes_when_it_is_written = False
        self._tasks = tasks
        self._scopes: dict[str, anyio.CancelScope] = {}
        tasks.start_soon(self._run)

    def look_for(
        self,
        user: str,
        rating: float = 1500,
        *,
        queue: str = "duel",
        seconds: float = 100,
        key: str = "key",
        call: str | None = None,
    ) -> None:
        """Let somebody look for a match; what comes of it is noted under the call's name."""
        call = call or user
        scope = self._scopes[call] = anyio.CancelScope()
        self._tasks.start_soon(self._find, call, scope, queue, user, rating, key, seconds)

    def give_up(self, call: str) -> None:
        """Cancel a call."""
        self._scopes[call].cancel()

    async def begin(self, queue: str, group: Sequence[MatchSearch]) -> Match | None:
        """Start a match as the arena does."""
        users = sorted(search.user for search in group)
        self.groups.append(f"{queue}: {' '.join(users)}")
        await anyio.sleep(self.deciding)
        if self.refusal is not None:
            raise self.refusal
        if not all(search.waiters for search in group):
            return None
        for search in group:
            search.taken = True
        await anyio.sleep(self.writing)
        if self.closes_when_it_is_written:
            self.closing.cancel()
        return match_of(users)

    async def _run(self) -> None:
        with self.closing:
            await self.matchmaker.run()

    async def _find(
        self,
        call: str,
        scope: anyio.CancelScope,
        queue: str,
        user: str,
        rating: float,
        key: str,
        seconds: float,
    ) -> None:
        how: str | type[HubbubError] | None = None
        try:
            with scope:
                match = await self.matchmaker.find(queue, user, rating, key, seconds)
                how = " ".join(match.players)
        except HubbubError as error:
            how = type(error)
        self.met[call] = round(anyio.current_time(), 6), how


def what_happens(scenario: Callable[[Hall], Awaitable[None]], backend: Backend) -> Hall:
    """Play a scenario, wait until it is quiet for an hour, and close the lobby."""

    async def run() -> Hall:
        async with anyio.create_task_group() as tasks:
            hall = Hall(tasks)
            await anyio.wait_all_tasks_blocked()
            await scenario(hall)
            await anyio.sleep(3600)
            tasks.cancel_scope.cancel()
        assert not hall.matchmaker._searches, "nobody stays behind"
        assert not any(map(len, hall.matchmaker._pools.values())), "no ghost stays behind"
        return hall

    return run_in_virtual_time(run, backend=backend)


def match_of(players: list[str]) -> Match:
    """Make a match that has just begun."""
    return Match(
        "1",
        "match/1",
        players,
        dict.fromkeys(players, 0),
        "active",
        None,
        FirstTo(),
        EPOCH,
        None,
        "main",
        None,
        False,
        None,
        [],
        None,
    )
