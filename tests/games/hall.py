"""A hub with people who search for matches, in virtual time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Literal

import anyio
import pytest
from anyio.abc import TaskGroup

import hubbub
from hubbub.errors import HubbubError
from hubbub.games.events import Matched
from hubbub.games.matches.game import Game
from hubbub.games.matches.supervisor import MatchSupervisor
from hubbub.games.matchmaking.matchmaker import Matchmaker
from hubbub.games.matchmaking.queue import queue_stream
from hubbub.testing import run_in_virtual_time
from tests.games.virtual_hub import open_hub

__all__ = ["Backend", "Hall", "Met", "on_each_backend", "what_happens"]

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
SETTINGS = hubbub.Settings(rating_range=100, rating_range_per_second=10)


class Hall:
    """
    A hub, and users who search for a match in it.

    Args:
        tasks: runs both.
        hub: where they search.
    """

    def __init__(self, tasks: TaskGroup, hub: hubbub.Hubbub) -> None:
        self.hub = hub
        self.met: dict[str, Met] = {}
        self._tasks = tasks
        self._scopes: dict[str, anyio.CancelScope] = {}

    @property
    def matchmaker(self) -> Matchmaker:
        """The queues."""
        return self.hub.runtime(MatchSupervisor).matchmaker

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

    async def groups(self, queue: str = "duel") -> list[str]:
        """Return the players of each match that was begun."""
        bodies = await self.hub.journal.read(queue_stream(queue), 0, 500)
        events = [self.hub.journal.streams.decode(body).data for body in bodies]
        return [" ".join(sorted(data.players)) for data in events if isinstance(data, Matched)]

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
                how = " ".join(sorted(match.players))
        except HubbubError as error:
            how = type(error)
        self.met[call] = round(anyio.current_time(), 3), how


USERS = ("ann", "bob", "cid", "dan", "eve", "zoë", "bot", *map(str, range(50)))


def what_happens(scenario: Callable[[Hall], Awaitable[None]], backend: Backend) -> Hall:
    """Play a scenario, wait until it is quiet for an hour, and close the hub."""

    async def run() -> Hall:
        async with open_hub("memory://", GAMES, SETTINGS) as hub:
            async with anyio.create_task_group() as tasks:
                for user in USERS:
                    async with hub.session(user):
                        pass
                hall = Hall(tasks, hub)
                await scenario(hall)
                await anyio.sleep(3600)
                tasks.cancel_scope.cancel()
            assert not hall.matchmaker._waiting, "nobody stays behind"
            for queue in hall.matchmaker._queues.values():
                assert not queue.tickets, "no ghost stays behind"
        return hall

    return run_in_virtual_time(run, backend=backend)
