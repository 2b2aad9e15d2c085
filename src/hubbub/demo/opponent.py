"""The demo's bot as an opponent: it plays with a user who has searched alone for a while."""

from __future__ import annotations

import logging
from random import Random

import anyio
from anyio.abc import TaskGroup

from ..clock import Clock
from ..errors import Closed, HubbubError, NoOpponent
from ..games.events import Completed, MatchCancelled, Scored, Told
from ..games.matches.match import Match
from ..games.matchmaking.matchmaker import Matchmaker
from ..ids import Ids
from ..journal.event import Event
from ..session import Session
from ..task_group import open_task_group
from .bots import ROBIN
from .questions import PlannedAnswer, plan_answer

__all__ = ["Opponent"]

logger = logging.getLogger("hubbub.demo")

# The queue in which the bot plays.
QUEUE = "arithmetic"
# How long a user has searched alone before the bot comes: first of all people play with people.
ALONE_SECONDS = 4.0
# How long the bot searches: the user may have cancelled in that moment.
SEARCH_SECONDS = 1.0
# Matches that the demo's bot plays at the same time.
MATCHES_MAX = 20
# The newest active matches, in which the bot looks for its own after a restart.
ACTIVE_MATCHES = 500
# Events of a match that are read at once.
PAGE = 500


class Opponent:
    """
    The bot in its matches.

    Args:
        session: the bot's.
        matchmaker: where users search.
        clock: the hub's.
        ids: where the keys of searches come from.
    """

    def __init__(self, session: Session, matchmaker: Matchmaker, clock: Clock, ids: Ids) -> None:
        self._session = session
        self._matchmaker = matchmaker
        self._clock = clock
        self._ids = ids
        self._slots = anyio.Semaphore(MATCHES_MAX)

    async def run(self) -> None:
        """Play until cancelled, also the matches that were under way."""
        async with open_task_group() as tasks:
            for match in await self._matches():
                await self._begin(tasks, match)
            while True:
                async with self._slots:
                    found = await self._find()
                if found is not None:
                    await self._begin(tasks, found)

    async def _matches(self) -> list[Match]:
        me = self._session.user.id
        active = await self._session.games.matches(status="active", limit=ACTIVE_MATCHES)
        return [
            match
            for match in active
            if match.game == QUEUE and me in match.players and me not in match.gone
        ]

    async def _find(self) -> Match | None:
        alone = await self._matchmaker.until_alone(QUEUE, ALONE_SECONDS)
        me, key = self._session.user.id, self._ids.new()
        try:
            # With the rating of the user, so that neither waits until theirs is near enough.
            return await self._matchmaker.find(QUEUE, me, alone.rating, key, SEARCH_SECONDS)
        except NoOpponent:
            return None

    async def _begin(self, tasks: TaskGroup, match: Match) -> None:
        await self._slots.acquire()
        tasks.start_soon(self._play, match)

    async def _play(self, match: Match) -> None:
        try:
            await self._follow(match)
        except Closed:
            logger.debug("%s stops playing: the hub is closing", ROBIN.nickname)
        except Exception:  # it ends this match alone; the bot plays the others
            logger.exception("%s cannot play %s and resigns", ROBIN.nickname, match.stream)
            await self._resign(match)
        finally:
            self._slots.release()

    async def _resign(self, match: Match) -> None:
        try:
            await self._session.games.resign(match.id)
        except HubbubError as error:
            logger.info("%s need not resign: %s", ROBIN.nickname, error.message)

    async def _follow(self, match: Match) -> None:
        played = _PlayedMatch(self._session, match, self._clock)
        past: list[Event] = []
        while page := await self._session.read(match.stream, after=len(past), limit=PAGE):
            past += page
        for event in past:
            played.take(event)
        async with open_task_group() as tasks:
            played.answer_soon(tasks)
            async with self._session.follow(match.stream, after=len(past)) as events:
                while not played.is_over:
                    played.take(await anext(events))
                    played.answer_soon(tasks)


class _PlayedMatch:
    """A match as the bot sees it."""

    def __init__(self, session: Session, match: Match, clock: Clock) -> None:
        self.is_over = False
        self._session = session
        self._match = match
        self._clock = clock
        self._scores = dict.fromkeys(match.players, 0)
        self._question: Event | None = None
        self._thinking = anyio.CancelScope()

    def take(self, event: Event) -> None:
        """Note what has happened."""
        match event.data:
            case Told(body):
                self._thinking.cancel()
                self._question = event if "text" in body else None
            case Scored(player, points):
                self._scores[player] += points
            case Completed() | MatchCancelled():
                self._thinking.cancel()
                self._question, self.is_over = None, True

    def answer_soon(self, tasks: TaskGroup) -> None:
        """Begin to think about the question, if there is a new one."""
        event, self._question = self._question, None
        if event is None or not isinstance(event.data, Told):
            return
        # For one question it is the same after a restart.
        random = Random(f"{event.stream}/{event.seq}")  # noqa: S311  (a game needs no secrets)
        me = self._session.user.id
        lead = self._scores[me] - max(
            points for player, points in self._scores.items() if player != me
        )
        planned = plan_answer(event.data.body, lead, random)
        if planned is not None:
            self._thinking = anyio.CancelScope()
            passed = (self._clock.now() - event.at).total_seconds()
            tasks.start_soon(self._answer, planned, planned.seconds - passed, self._thinking)

    async def _answer(
        self, planned: PlannedAnswer, seconds: float, thinking: anyio.CancelScope
    ) -> None:
        with thinking:
            await anyio.sleep(max(0.0, seconds))
            try:
                await self._session.games.message(self._match.id, planned.body)
            except HubbubError as error:
                # Mostly another player was faster with the last question.
                logger.debug("%s does not answer: %s", ROBIN.nickname, error.message)
