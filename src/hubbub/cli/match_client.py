"""A client of one match: for a player, or for a user who watches."""

from __future__ import annotations

from collections.abc import Callable

from rich.text import Text

from ..errors import Conflict, HubbubError, Invalid, NotFound
from ..games.events import Completed, MatchCancelled, Scored, Told
from ..games.matches.match import Match
from ..journal.event import Event
from ..session import Session
from ..wake_up import WakeUp
from .lines import note
from .match_lines import (
    Question,
    answer_line,
    end_line,
    match_event_line,
    past_line,
    place_line,
    question_in,
    rating_line,
    score_line,
)
from .names import Names

__all__ = ["HOW", "MATCH_COMMANDS", "MatchClient"]

# Events of the past of a match that are read at one time.
PAGE = 500
# What the user can type, and what it does.
MATCH_COMMANDS = {
    "resign": "ends the match: the other player wins",
    "quit": "goes away, as Ctrl-C and Ctrl-D do; you may come back for a little while",
    "help": "shows the commands",
}
HOW = "Type the answer, a number; you have one try for each question."


class MatchClient:
    """
    What a user sees of a match, and does in it.

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
        # True when the user has quit.
        self.over = False
        self._own = session.user.id
        self._scores = dict.fromkeys(match.players, 0)
        # The question that is open, and the same while the user may still answer it.
        self._open: Question | None = None
        self._question: Question | None = None
        self._wake_up = WakeUp()

    @property
    def asked(self) -> bool:
        """True while there is a question that the user may answer."""
        return self._question is not None

    @property
    def prompt(self) -> str:
        """What an answer is typed after."""
        return f"{self._question.text} = " if self._question is not None else "… "

    async def follow(self) -> None:
        """Show the match to its end; of what happened before it began only the score."""
        await self.names.learn([*self.match.players, self._own])
        past = await self._read_past()
        scored = [self._count(event) for event in past]
        if any(scored):
            over = isinstance(past[-1].data, Completed | MatchCancelled)
            self.show(past_line(self.match, self.names, over=over))
            self.show(score_line(self._scores, self._own, self.names))
            # The last question may be open still.
            asked = [event for event in past if isinstance(event.data, Told)]
            self._take_all(asked[-1:])
        else:
            self._take_all(past)
        if not past or not isinstance(past[-1].data, Completed | MatchCancelled):
            await self._follow_from(len(past))
        await self._show_end()

    async def until_asked(self) -> None:
        """Wait for a question that the user may answer."""
        while not self.asked:
            await self._wake_up.wait()

    async def carry_out(self, line: str) -> None:
        """
        Do what a line says.

        Raises:
            HubbubError: it cannot be done; the message says why.
        """
        match line.strip().lower():
            case "":
                return
            case "/quit":
                self.over = True
            case "/resign":
                await self.session.games.resign(self.match.id)
            case "/help":
                for name, does in MATCH_COMMANDS.items():
                    self.show(note(f"/{name} ".ljust(9) + does))
                self.show(note(HOW))
            case command if command.startswith("/"):
                raise Invalid(f"There is no command {command.split()[0]}; see /help.")
            case answer:
                await self._answer(answer)

    async def _read_past(self) -> list[Event]:
        past: list[Event] = []
        while page := await self.session.read(self.match.stream, after=len(past), limit=PAGE):
            past += page
        return past

    async def _follow_from(self, after: int) -> None:
        async with self.session.follow(self.match.stream, after=after) as events:
            async for event in events:
                if self._count(event):
                    self.show(score_line(self._scores, self._own, self.names))
                self._take(event)
                if isinstance(event.data, Completed | MatchCancelled):
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
        self.show(answer_line(question, number))
        body = {"question": question.number, "answer": number}
        try:
            await self.session.games.message(self.match.id, body)
        except HubbubError:
            if (await self.session.games.match(self.match.id)).status != "active":
                # Somebody was faster with the last one; the end is shown to all who follow.
                return
            if self._open is question:
                # It did not count, so it may be tried again.
                self._question = question
            raise

    def _take_all(self, events: list[Event]) -> None:
        for event in events:
            self._take(event)

    def _take(self, event: Event) -> None:
        if isinstance(event.data, Told):
            self._open = self._question = question_in(event)
            self._wake_up.set()
        if (line := match_event_line(event, self.names)) is not None:
            self.show(line)

    async def _show_end(self) -> None:
        games = self.session.games
        self.match = await games.match(self.match.id)
        self.show(end_line(self.match, self._own, self.names))
        if self._own not in self.match.players or self.match.status != "completed":
            return
        user = await self.session.users.get(self._own)
        self.show(rating_line(user.rating))
        try:
            self.show(place_line(await games.rank(self.match.board)))
        except NotFound:
            self.show(note(f"You are not on the board {self.match.board!r} yet."))
