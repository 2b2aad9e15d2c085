"""Decide about matches one after another, as the journal would."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from hubbub.games import play
from hubbub.games.board import BoardState
from hubbub.games.ending import AGENDA, INDEX
from hubbub.games.game import Game
from hubbub.games.match import MatchState
from hubbub.games.play import Terms, Wanted
from hubbub.games.rules import AnyRules, FirstTo, Outcome, Standing, leader
from hubbub.journal.agenda import Agenda
from hubbub.journal.event import Data
from hubbub.journal.link import Links
from hubbub.journal.states import States, StreamCell
from hubbub.users.user import UserState
from tests.games.board_kit import NOON, Desk, states_of

__all__ = ["GRACE", "PLAYERS", "STREAM", "TERMS", "Hall", "golf", "hall_with", "kinds"]

STREAM = "match/1"
GRACE = timedelta(seconds=30)
PLAYERS = ("ann", "bob", "cid")


def golf(options: Mapping[str, Any], standing: Standing) -> Outcome | None:
    """Let the fewest strokes win when everybody has played all holes."""
    if any(standing.turns[player] < options["holes"] for player in standing.players):
        return None
    strokes = {player: -points for player, points in standing.scores.items()}
    return leader(Standing(standing.players, strokes, standing.turns))


def absent_wins(options: Mapping[str, Any], standing: Standing) -> Outcome | None:
    """Let the last player win, whichever player scores."""
    return Outcome(standing.players[-1]) if any(standing.turns.values()) else None


GAMES = {
    "default": Game(),
    "golf": Game(decide=golf),
    "absent wins": Game(decide=absent_wins),
}
TERMS = Terms(GAMES, lambda user: True, GRACE, 10)


def hall_with(stream: str, match: MatchState, now: datetime) -> States:
    """Hold a match, and all that its end is written to."""
    cells = [StreamCell(f"user/{player}", _user(player), 1) for player in PLAYERS]
    return states_of(
        now,
        StreamCell(stream, match),
        StreamCell("board/main", BoardState()),
        StreamCell(AGENDA, Agenda()),
        StreamCell(INDEX, Links()),
        *cells,
    )


def kinds(happened: Sequence[Data]) -> list[str]:
    return [type(data).__name__ for data in happened]


class Hall(Desk):
    """Matches in memory, of players who are known, and connected until it is said otherwise."""

    def __init__(self) -> None:
        super().__init__()
        self.online = set(PLAYERS)
        self.terms = Terms(GAMES, self.online.__contains__, GRACE, 10)
        for player in PLAYERS:
            self.states.put(StreamCell(f"user/{player}", _user(player), 1))

    def start(
        self,
        *players: str,
        rules: AnyRules | None = None,
        stream: str = STREAM,
        board: str = "main",
        **more: Any,
    ) -> list[Data]:
        names = list(players or PLAYERS[:2])
        wanted = Wanted(names, rules or FirstTo(), board, **more)
        return self.do(lambda states: play.start(states, stream, wanted, self.terms))

    def score(
        self, by: str, points: Any, *, player: str | None = None, stream: str = STREAM
    ) -> list[Data]:
        who = by if player is None else player
        return self.do(
            lambda states: play.score(states, stream, by, who, points, self.terms), by=by
        )

    def resign(self, by: str, stream: str = STREAM) -> list[Data]:
        return self.do(
            lambda states: play.resign(states, stream=stream, by=by, terms=self.terms), by=by
        )

    def look(self, after: float = 0.0, *, opening: bool = False) -> list[Data]:
        """Look at the match some seconds later."""
        self.pass_by(after)
        return self.do(
            lambda states: play.look(states, STREAM, self.terms, opening=opening), by="/hub"
        )

    def pass_by(self, seconds: float) -> None:
        self.states.now += timedelta(seconds=seconds)

    def match(self, stream: str = STREAM) -> MatchState:
        return self.ask(lambda states: states.of(MatchState, stream))

    def user(self, player: str) -> Links:
        return self.ask(lambda states: states.of(Links, f"user/{player}"))

    def due(self) -> dict[str, datetime | None]:
        return self.ask(lambda states: dict(states.of(Agenda, AGENDA).due))


def _user(player: str) -> UserState:
    state = UserState()
    state.nickname, state.joined_at = player.title(), NOON
    return state
