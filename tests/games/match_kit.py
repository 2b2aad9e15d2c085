"""Decide about matches one after another, as the journal would."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from hubbub.games.boards.board import BoardState
from hubbub.games.matches import commands as decisions
from hubbub.games.matches.commands import NewMatch
from hubbub.games.matches.ending import MATCH_INDEX, MATCH_SCHEDULE
from hubbub.games.matches.game import Game
from hubbub.games.matches.match import MatchState
from hubbub.games.matches.rules import AnyRules, FirstTo, Outcome, Standing, leader
from hubbub.games.matches.terms import MatchTerms
from hubbub.journal.decide.cache_entries import StreamEntry
from hubbub.journal.decide.states import States
from hubbub.journal.event import Data
from hubbub.journal.link import Links
from hubbub.journal.schedule import Schedule
from hubbub.journal.shards import stream_shard
from hubbub.players import PlayerLinks
from hubbub.users.user import UserState
from tests.games.board_kit import NOON, Desk, states_of

__all__ = ["FOUND", "GRACE", "PLAYERS", "STREAM", "TERMS", "Hall", "golf", "hall_with", "kinds"]

STREAM = "match/1"
GRACE = timedelta(seconds=30)
PLAYERS = ("ann", "bob", "cid")
# The players' searches, by which matchmaking has found a match: such matches are rated.
FOUND = {player: f"{player}'s search" for player in PLAYERS}


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
TERMS = MatchTerms(GAMES, lambda user: True, GRACE, 10)


def hall_with(stream: str, match: MatchState, now: datetime) -> States:
    """Hold a match, and all that its end is written to."""
    entries = [StreamEntry(f"user/{player}", _user(player), 1) for player in PLAYERS]
    return states_of(
        now,
        StreamEntry(stream, match),
        StreamEntry("board/main", BoardState()),
        StreamEntry(stream_shard(MATCH_SCHEDULE, stream), Schedule()),
        StreamEntry(MATCH_INDEX, Links()),
        StreamEntry(stream_shard(MATCH_INDEX, stream), Links()),
        *entries,
    )


def kinds(happened: Sequence[Data]) -> list[str]:
    return [type(data).__name__ for data in happened]


class Hall(Desk):
    """Matches in memory, of known players, who are connected by default."""

    def __init__(self) -> None:
        super().__init__()
        self.online = set(PLAYERS)
        self.terms = MatchTerms(GAMES, self.online.__contains__, GRACE, 10)
        for player in PLAYERS:
            self.states.put(StreamEntry(f"user/{player}", _user(player), 1))

    def start(
        self,
        *players: str,
        rules: AnyRules | None = None,
        stream: str = STREAM,
        board: str = "main",
        **more: Any,
    ) -> list[Data]:
        names = list(players or PLAYERS[:2])
        wanted = NewMatch(names, rules or FirstTo(), board, **more)
        return self.do(lambda states: decisions.start(states, stream, wanted, self.terms))

    def score(
        self, by: str, points: Any, *, player: str | None = None, stream: str = STREAM
    ) -> list[Data]:
        who = by if player is None else player
        return self.do(
            lambda states: decisions.score(states, stream, by, who, points, self.terms), by=by
        )

    def resign(self, by: str, stream: str = STREAM) -> list[Data]:
        return self.do(
            lambda states: decisions.resign(states, stream=stream, by=by, terms=self.terms), by=by
        )

    def look(self, after: float = 0.0, *, opening: bool = False) -> list[Data]:
        """Look at the match some seconds later."""
        self.pass_by(after)
        return self.do(
            lambda states: decisions.look_at_match(states, STREAM, self.terms, opening=opening),
            by="/hub",
        )

    def pass_by(self, seconds: float) -> None:
        self.states.now += timedelta(seconds=seconds)

    def match(self, stream: str = STREAM) -> MatchState:
        return self.ask(lambda states: states.of(MatchState, stream))

    def user(self, player: str) -> PlayerLinks:
        return self.ask(lambda states: states.of(PlayerLinks, f"user/{player}"))

    def due(self) -> dict[str, datetime | None]:
        shard = stream_shard(MATCH_SCHEDULE, STREAM)
        return self.ask(lambda states: dict(states.of(Schedule, shard).due))


def _user(player: str) -> UserState:
    state = UserState()
    state.nickname, state.joined_at = player.title(), NOON
    return state
