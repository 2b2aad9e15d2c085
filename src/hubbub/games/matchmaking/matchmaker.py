"""
Matchmaking: each search is a task that waits.

The matchmaker takes a group out of its queue, and its match is decided like any command. The
decision checks again that all of them still wait: nothing can happen between that check and the
start. If a player has left, the others return to their places.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence

import anyio

from ...clock import Clock
from ...errors import Closed, Conflict, HubbubError, NoOpponent, Overloaded
from ...wake_up import WakeUp
from ..matches.game import Game
from ..matches.match import Match
from .pool import Pool, Ticket, Widening

__all__ = ["MatchSearch", "Matchmaker"]

logger = logging.getLogger("hubbub.games")


class MatchSearch(Ticket):
    """
    A user who is searching for a match.

    Args:
        queue: the queue.
        key: the idempotency key of the search.
    """

    __slots__ = ("done", "error", "key", "match", "queue", "taken", "waiters")

    def __init__(  # noqa: PLR0913
        self, user: str, rating: float, since: float, number: int, queue: str, key: str
    ) -> None:
        super().__init__(user, rating, since, number)
        self.queue = queue
        self.key = key
        # Calls that wait for it: a client that reconnects adds another call.
        self.waiters = 0
        # True once its match is decided: from then on it cannot be cancelled.
        self.taken = False
        self.done = anyio.Event()
        self.match: Match | None = None
        self.error: HubbubError | None = None

    def end(self, match: Match | None, error: HubbubError | None = None) -> None:
        """Wake the waiting calls."""
        self.match, self.error = match, error
        self.done.set()


# Starts a match of a queue; returns None if a player of the group has left.
Begin = Callable[[str, Sequence[MatchSearch]], Awaitable[Match | None]]


class Matchmaker:
    """
    The matchmaking queues of a hub, one for each game.

    Args:
        clock: measures how long a user has waited.
        games: give the number of players in a match.
        widening: how far apart ratings can be, for games that do not set it.
        begin: starts a match.
        searches_max: the number of users who can search for a match at the same time.
    """

    def __init__(
        self,
        clock: Clock,
        games: Mapping[str, Game],
        widening: Widening,
        begin: Begin,
        searches_max: int = 2_000,
    ) -> None:
        self._clock = clock
        self._searches_max = searches_max
        self._begin = begin
        self._pools: dict[str, Pool[MatchSearch]] = {
            name: Pool(game.size, _widening_of(game, widening)) for name, game in games.items()
        }
        self._searches: dict[str, MatchSearch] = {}
        self._numbers = 0
        self._closed = False
        self._wake_up = WakeUp()
        # Wakes what waits for a user who searches alone; no search pays for it otherwise.
        self._pools_changed = WakeUp()

    async def find(self, queue: str, user: str, rating: float, key: str, seconds: float) -> Match:
        """
        Wait for a match.

        Raises:
            Conflict: this user is already searching.
            NoOpponent: there was no match in time.
            Overloaded: too many users are searching.
            Closed: the hub is closing.
        """
        search = self._searches.get(user)
        if search is None:
            search = self._begin_search(queue, user, rating, key)
        elif (search.queue, search.key) != (queue, key):
            raise Conflict("You are already searching for a match; cancel that search first.")
        search.waiters += 1
        try:
            with anyio.move_on_after(seconds):
                await search.done.wait()
            if search.taken:
                # It was decided at the last moment, and is being written.
                await search.done.wait()
        finally:
            search.waiters -= 1
            if not search.waiters:
                self._end_search(search)
        if search.match is not None:
            return search.match
        raise search.error or NoOpponent(
            f"No opponent was found in {seconds:g} s; try again later."
        )

    async def until_alone(self, queue: str, seconds: float) -> MatchSearch:
        """
        Wait until a user has searched alone in a queue for some time, and return that search.

        A bot that then searches by :meth:`find`, with the rating of that search, plays with that
        user at once, and never takes the place of a person.

        Args:
            queue: the name of a game.
            seconds: how long the user has searched, at least.
        """
        while True:
            search = self._pools[queue].alone
            wait = None if search is None else search.since + seconds - self._clock.monotonic()
            if search is not None and wait is not None and wait <= 0:
                return search
            with anyio.move_on_after(wait):
                await self._pools_changed.wait()

    async def run(self) -> None:
        """Match groups until cancelled."""
        self._closed = False
        try:
            async with anyio.create_task_group() as tasks:
                while True:
                    for queue, pool in self._pools.items():
                        while (group := pool.take(self._clock.monotonic())) is not None:
                            tasks.start_soon(self._play, queue, pool, group)
                    await self._wait_for_news()
        finally:
            self._closed = True
            for search in self._searches.values():
                if not search.done.is_set():
                    search.end(None, _closed())

    def _begin_search(self, queue: str, user: str, rating: float, key: str) -> MatchSearch:
        if self._closed:
            raise _closed()
        if len(self._searches) >= self._searches_max:
            raise Overloaded("Too many users are searching for a match; try again later.")
        self._numbers += 1
        search = MatchSearch(user, rating, self._clock.monotonic(), self._numbers, queue, key)
        self._searches[user] = search
        self._pools[queue].add(search)
        self._wake_up.set()
        self._pools_changed.set()
        return search

    def _end_search(self, search: MatchSearch) -> None:
        self._pools[search.queue].remove(search)
        del self._searches[search.user]
        self._pools_changed.set()

    async def _wait_for_news(self) -> None:
        times = [at for pool in self._pools.values() if (at := pool.next()) is not None]
        if not times:
            await self._wake_up.wait()
            return
        with anyio.move_on_after(max(0.0, min(times) - self._clock.monotonic())):
            await self._wake_up.wait()

    async def _play(
        self, queue: str, pool: Pool[MatchSearch], group: Sequence[MatchSearch]
    ) -> None:
        match, error = None, None
        try:
            match = await self._begin(queue, group)
        except HubbubError as refused:
            error = refused
        except Exception:  # affects this group only; the queues continue
            logger.exception("a match of the queue %r could not be started", queue)
            error = Overloaded("The match could not be started; search again.")
        for search in group:
            if match is not None or error is not None:
                search.end(match, error)
            elif search.waiters:
                pool.add(search)
        self._wake_up.set()
        self._pools_changed.set()


def _widening_of(game: Game, usual: Widening) -> Widening:
    at_first, per_second = game.rating_range, game.rating_range_per_second
    return Widening(
        usual.at_first if at_first is None else at_first,
        usual.per_second if per_second is None else per_second,
    )


def _closed() -> Closed:
    return Closed("The hub is closing; search again after it restarts.")
