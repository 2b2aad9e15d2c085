"""Somebody at a match: a player, or one who watches."""

from __future__ import annotations

from collections.abc import Callable

import anyio
from rich.text import Text

from ..errors import Conflict, Invalid, NotFound
from ..games.events import Cancelled, Completed, Scored, Told
from ..games.match import Match
from ..journal.event import Event
from ..session import Session
from .lines import note
from .match_lines import (
    end_line,
    match_event_line,
    match_title,
    place_line,
    question_in,
    score_line,
)
from .names import Names

__all__ = ["Seat"]

# Events read at one time of what happened before one came.
PAGE = 500
HELP = (
    "A number answers the question; each question has one try.",
    "/resign gives up, /quit goes away (you may come back for a little while), /help shows this.",
)


class Seat:
    """
    What a person sees of a match, and does in it.

    Args:
        session: whose it is.
        match: as it is now.
        show: shows a line.
    """

    def __init__(self, session: Session, match: Match, show: Callable[[Text], None]) -> None:
        self.session = session
        self.match = match
        self.show = show
        self.names = Names(session.users)
        # The person wants no more.
        self.over = False
        self._scores = dict.fromkeys(match.players, 0)
        self._question: int | None = None
        self._news = anyio.Event()

    @property
    def plays(self) -> bool:
        """True for a player."""
        return self.session.user.id in self.match.players

    @property
    def asked(self) -> bool:
        """True while there is a question that one may answer."""
        return self._question is not None

    async def follow(self) -> None:
        """Show the match to its end; what happened before one came only in short."""
        await self.names.learn([*self.match.players, self.session.user.id])
        past = await self._read_past()
        for event in past:
            self._count(event)
        if not any(self._scores.values()):
            for event in past:
                self._take(event)
        else:
            self.show(note(f"The match goes on: {match_title(self.match, self.names)}."))
            self.show(score_line(self._scores, self.names))
            # The last question may be open still.
            for event in [event for event in past if isinstance(event.data, Told)][-1:]:
                self._take(event)
        if not (past and isinstance(past[-1].data, Completed | Cancelled)):
            await self._follow_from(len(past))
        await self._show_end()

    async def until_asked(self) -> None:
        """Wait for a question that one may answer."""
        while not self.asked:
            await self._news.wait()

    async def carry_out(self, line: str) -> None:
        """
        Do what a line says.

        Raises:
            HubbubError: it cannot be done; the message says why.
        """
        match line.strip():
            case "":
                return
            case "/quit":
                self.over = True
            case "/resign":
                await self.session.games.resign(self.match.id)
            case "/help":
                for text in HELP:
                    self.show(note(text))
            case answer:
                await self._answer(answer)

    async def _read_past(self) -> list[Event]:
        past: list[Event] = []
        stream = self.match.stream
        while page := await self.session.read(stream, after=len(past), limit=PAGE):
            past += page
        return past

    async def _follow_from(self, after: int) -> None:
        async with self.session.follow(self.match.stream, after=after) as events:
            async for event in events:
                if self._count(event):
                    self.show(score_line(self._scores, self.names))
                self._take(event)
                if isinstance(event.data, Completed | Cancelled):
                    return

    def _count(self, event: Event) -> bool:
        if not isinstance(event.data, Scored):
            return False
        self._scores[event.data.player] += event.data.points
        return True

    async def _answer(self, text: str) -> None:
        try:
            number = int(text)
        except ValueError:
            raise Invalid("An answer is a number; /help shows what else there is.") from None
        if self._question is None:
            raise Conflict("You have had your try; wait for the next question.")
        question, self._question = self._question, None
        body = {"question": question, "answer": number}
        await self.session.games.message(self.match.id, body)

    def _take(self, event: Event) -> None:
        if (number := question_in(event)) is not None:
            self._question = number
            self._news.set()
            self._news = anyio.Event()
        if (line := match_event_line(event, self.names)) is not None:
            self.show(line)

    async def _show_end(self) -> None:
        own = self.session.user.id
        self.match = await self.session.games.match(self.match.id)
        self.show(end_line(self.match, own, self.names))
        if not self.plays or self.match.status != "completed":
            return
        user = await self.session.users.get(own)
        try:
            self.show(place_line(await self.session.games.rank(self.match.board), user.rating))
        except NotFound:
            self.show(note(f"Your rating is {user.rating:.0f}."))
