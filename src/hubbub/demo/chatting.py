"""The demo's bot in the lobby: it welcomes, answers, and returns reactions."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial
from random import Random

import anyio

from ..chat.events import Joined, Reacted, Said
from ..chat.rooms.room import Room
from ..clock import Clock
from ..errors import Closed, HubbubError, NotAllowed, StorageError
from ..journal.event import Event
from ..ratelimit import RateLimits, SlidingWindow
from ..session import Session
from .answers import answer_to, is_addressed, welcome_to
from .bots import ROBIN

__all__ = ["Chatting"]

logger = logging.getLogger("hubbub.demo")

# The time in which answers and reactions are counted.
PERIOD_SECONDS = 20.0
# Messages of the demo's bot in 20 seconds: users cannot make it flood the room.
ANSWERS_MAX = 8
# Messages of the demo's bot to one user in 20 seconds: some are left for the others.
ANSWERS_PER_USER_MAX = 4
# Reactions of the demo's bot in 20 seconds.
REACTIONS_MAX = 20
# Users whose messages to the demo's bot are counted.
USERS_MAX = 1_000
# The demo's bot answers no older messages when it has restarted.
AGE_SECONDS_MAX = 60.0
# The newest messages that it reads after a restart.
LOOK_BACK = 50
# Newest messages of the demo's bot to which it returns reactions, besides the welcome.
OWN_MAX = 200
# How long the bot is typing: an answer without a pause is easily overlooked.
TYPING_SECONDS = 0.8


class Chatting:
    """
    The bot in a room.

    Args:
        session: the bot's.
        room: where it talks.
        clock: the hub's.
        games: True if the bot can play.
    """

    def __init__(self, session: Session, room: Room, clock: Clock, *, games: bool) -> None:
        self._session = session
        self._room = room
        self._clock = clock
        self._games = games
        self._me = session.user.id
        self._answers = RateLimits(partial(SlidingWindow, ANSWERS_MAX, PERIOD_SECONDS), 1)
        self._by_user = RateLimits(
            partial(SlidingWindow, ANSWERS_PER_USER_MAX, PERIOD_SECONDS), USERS_MAX
        )
        self._reactions = RateLimits(partial(SlidingWindow, REACTIONS_MAX, PERIOD_SECONDS), 1)
        self._first: list[int] = []
        self._own: deque[int] = deque(maxlen=OWN_MAX)

    async def run(self) -> None:
        """Talk until cancelled, or until a moderator removes the bot."""
        chat, room = self._session.chat, self._room
        oldest = await chat.history(room.id, after=0, limit=LOOK_BACK)
        self._first = [message.seq for message in oldest if message.by == self._me]
        newest = await chat.history(room.id, limit=LOOK_BACK)
        try:
            after = newest[0].seq - 1 if newest else 0
            async with self._session.follow(room.stream, after=after) as events:
                async for event in events:
                    await self._take(event)
        except NotAllowed as error:
            logger.warning("%s is no longer in the lobby: %s", ROBIN.nickname, error.message)

    async def _take(self, event: Event) -> None:
        if event.by == self._me:
            if isinstance(event.data, Said):
                self._own.append(event.seq)
            return
        if self._clock.now() - event.at > timedelta(seconds=AGE_SECONDS_MAX):
            return
        match event.data:
            case Joined():
                await self._welcome(event)
            case Said(text, reply_to) if is_addressed(text, ROBIN.name) or self._said(reply_to):
                await self._answer(event, text)
            case Reacted(emoji) if event.ref is not None and self._said(event.ref):
                await self._react(event.ref, emoji)

    def _said(self, seq: int | None) -> bool:
        return seq in self._own or seq in self._first

    async def _nickname(self, user: str) -> str:
        return (await self._session.users.get(user)).nickname

    async def _welcome(self, event: Event) -> None:
        text = welcome_to(await self._nickname(event.by))
        # A user who leaves and joins again is welcomed once.
        await self._say(event.by, partial(self._send, text, None, f"demo-{event.by}"))

    async def _answer(self, event: Event, text: str) -> None:
        # For one message it is the same after a restart, as its key asks for.
        random = Random(f"{event.stream}/{event.seq}")  # noqa: S311  (dice are no secret)
        nickname = await self._nickname(event.by)
        answer = answer_to(text, nickname, random, games=self._games)
        await self._say(event.by, partial(self._send, answer, event.seq, f"demo-{event.seq}"))

    async def _send(self, text: str, reply_to: int | None, key: str) -> None:
        await self._session.chat.typing(self._room.id)
        await anyio.sleep(TYPING_SECONDS)
        await self._session.chat.send(self._room.id, text, reply_to=reply_to, key=key)

    async def _say(self, user: str, send: Callable[[], Awaitable[object]]) -> None:
        now = self._clock.monotonic()
        try:
            self._by_user.charge(user, now)
            self._answers.charge(self._me, now)
            await send()
        except HubbubError as error:
            _pass_over(error)

    async def _react(self, seq: int, emoji: str) -> None:
        try:
            self._reactions.charge(self._me, self._clock.monotonic())
            await self._session.chat.react(self._room.id, seq, emoji)
        except HubbubError as error:
            _pass_over(error)


def _pass_over(error: HubbubError) -> None:
    """Leave a message without an answer, unless the hub itself is at fault."""
    if isinstance(error, Closed | StorageError):
        raise error
    logger.debug("%s does not answer: %s", ROBIN.nickname, error.message)
