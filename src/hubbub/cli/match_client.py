"""A client of one match, for a player or a spectator."""

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
from .suggestions import did_you_mean

__all__ = ["HOW", "MATCH_COMMANDS", "MatchClient"]

# How many past events of a match one request reads.
PAGE = 500
# The commands, and what each does.
MATCH_COMMANDS = {
    "resign": "end the match: the other player wins",
    "quit": "quit, like Ctrl+C and Ctrl+D; you can return for a short while",
    "help": "list the commands",
}
HOW = "Type a number to answer; you have one try for each question."


class MatchClient:
    """
    A match as a user sees it.

    Args:
        session: the user's.
        match: the match as it is now.
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
        # The open question, and the same question until the user has answered it.
        self._open: Question | None = None
        self._question: Question | None = None
        self._wake_up = WakeUp()

    @property
    def asked(self) -> bool:
        """True while there is a question that the user may answer."""
        return self._question is not None

    @property
    def prompt(self) -> str:
        """The text in front of what the user types."""
        return f"{self._question.text} = " if self._question is not None else "… "

    async def follow(self) -> None:
        """Show the match to its end; of the events before this call, only the score."""
        await self.names.learn([*self.match.players, self._own])
        past = await self._read_past()
        scored = [self._count(event) for event in past]
        if any(scored):
            over = isinstance(past[-1].data, Completed | MatchCancelled)
            self.show(past_line(self.match, self.names, over=over))
            self.show(score_line(self._scores, self._own, self.names))
            # The last question may still be open.
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
        Answer the question, or carry a command out.

        Args:
            line: what the user typed.

        Raises:
            HubbubError: the server refuses it, or there is no such command.
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
                name = command.split()[0]
                hint = did_you_mean(name, [f"/{known}" for known in MATCH_COMMANDS])
                raise Invalid(f"There is no command {name}.{hint or ' /help lists the commands.'}")
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
            raise Invalid("An answer is a number. /help lists the commands.") from None
        if self._question is None:
            raise Conflict("You have already answered; wait for the next question.")
        question, self._question = self._question, None
        self.show(answer_line(question, number))
        body = {"question": question.number, "answer": number}
        try:
            await self.session.games.message(self.match.id, body)
        except HubbubError:
            if (await self.session.games.match(self.match.id)).status != "active":
                # The other player answered first, and the match has ended.
                return
            if self._open is question:
                # The answer did not count, so the user may try again.
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
