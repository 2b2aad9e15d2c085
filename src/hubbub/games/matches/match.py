"""A match: its players, their points, and who can change them. Pure."""

from __future__ import annotations

from copy import deepcopy
from datetime import datetime, timedelta
from typing import Any, ClassVar, Literal

import msgspec
from msgspec import UNSET

from ...errors import Conflict, Invalid, NotAllowed, NotFound
from ...journal.event import Event, State
from ...journal.schedule import HUB
from ...permissions import check
from ...shown import shown
from .. import events as e
from ..grants import GAMES_GRANTS, GAMES_READERS
from .rules import AnyRules, Custom, FirstTo, Standing

__all__ = ["Match", "MatchState", "MatchStatus", "id_of", "is_match", "match_of", "match_stream"]

MatchStatus = Literal["active", "completed", "cancelled"]

# The prefix of the names of matches' streams.
_KIND = "match/"
# The longest id that is looked up; ours have 26 characters.
ID_CHARS_MAX = 64


class Match(msgspec.Struct, frozen=True):
    """
    A match.

    Args:
        id: the match_id for the methods of games.
        stream: the stream for ``follow`` and ``read``.
        players: the players, in the order in which they were named.
        scores: a player -> points.
        status: ``active``, ``completed`` or ``cancelled``.
        winner: the winner; None while it is running, after a draw, and if it was cancelled.
        rules: how it is won.
        started_at: UTC.
        ended_at: UTC; None while it is running.
        board: the board where the winner gets points.
        referee: the only user who can score; None if players score for themselves.
        private: True if only its players can follow it.
        game: the name of the hub's game that runs it, if any.
        gone: the players who resigned or forfeited, in order.
        reason: why it was cancelled.
    """

    id: str
    stream: str
    players: list[str]
    scores: dict[str, int]
    status: MatchStatus
    winner: str | None
    rules: AnyRules
    started_at: datetime
    ended_at: datetime | None
    board: str
    referee: str | None
    private: bool
    game: str | None
    gone: list[str]
    reason: str | None


class MatchState(State):
    """
    The fold of a ``match/ID`` stream.

    Args:
        turns: how often each player has scored.
        present: the players who were connected at some time since it began.
        dropped: the players of these who are not connected now -> since when.
        gone: the players who resigned or forfeited, in order.
        keys: a player -> the key of the search that found it.
        by: the user who started it.
        scored_at: when a player last scored.
        asked: False if one of the players started it over a network, so that the others take
            part only when they act.
        node: the node that runs it; empty if none does.
        claim: the number of that node's claim: the seq of its event.
        acted: in that case, the players who scored, sent the game a message, or resigned.
    """

    data_type: ClassVar[Any] = e.MatchEvent

    players: list[str] = []
    scores: dict[str, int] = {}
    turns: dict[str, int] = {}
    rules: AnyRules = FirstTo()
    board: str = ""
    referee: str | None = None
    private: bool = False
    game: str | None = None
    status: MatchStatus = "active"
    winner: str | None = None
    reason: str | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    present: set[str] = set()
    dropped: dict[str, datetime] = {}
    gone: list[str] = []
    keys: dict[str, str] = {}
    by: str = ""
    scored_at: datetime | None = None
    asked: bool = True
    acted: set[str] = set()
    node: str = ""
    claim: int = 0

    def apply(self, event: Event) -> None:
        """Fold one event."""
        data = event.data
        # First, and without a pattern, which takes each of its fields: nearly all are scores.
        if isinstance(data, e.Scored):
            self.scores[data.player] += data.points
            self.turns[data.player] += 1
            self.scored_at = event.at
            if not self.asked:
                self._act(event.by)
            return
        match data:
            case e.Told():
                pass
            case e.MatchClaimed(node):
                self.node, self.claim = node, event.seq
            case e.Dropped(player):
                self.dropped[player] = event.at
            case e.Returned(player, True):
                # The message may come over HTTP, so it does not mean that the player is connected.
                self._act(player)
            case e.Returned(player):
                self.dropped.pop(player, None)
                self.present.add(player)
            case e.Resigned():
                self.gone.append(event.by)
                self._act(event.by)
            case e.Forfeited(player):
                self.gone.append(player)
            case _:
                self._begin_or_end(event, data)

    def _begin_or_end(self, event: Event, data: object) -> None:
        match data:
            case e.Started(
                players, rules, board, referee, private, game, present, keys, asked, node
            ):
                self.players, self.rules, self.board = players, rules, board
                self.referee, self.private, self.game = referee, private, game
                self.present, self.keys, self.asked = set(present), keys, asked is not False
                self.scores = dict.fromkeys(players, 0)
                self.turns = dict.fromkeys(players, 0)
                self.started_at, self.by = event.at, event.by
                if node is not UNSET:
                    self.node, self.claim = node, event.seq
            case e.Completed(winner):
                self.status, self.winner, self.ended_at = "completed", winner, event.at
            case e.MatchCancelled(reason):
                self.status, self.reason, self.ended_at = "cancelled", reason, event.at
            case unknown:
                raise AssertionError(f"not a match's event: {unknown!r}")

    def _act(self, user: str) -> None:
        if not self.asked and user in self.scores:
            self.acted.add(user)

    def silent(self) -> set[str]:
        """Return the players named by another player who have not acted."""
        return set() if self.asked else {*self.players} - self.acted - {self.by}

    def check_exists(self) -> None:
        """Raise NotFound if the match does not exist."""
        if self.started_at is None:
            raise _not_found()

    def check_reader(self, stream: str, user: str) -> None:
        """Let everyone watch, unless the match is private."""
        self.check_exists()
        if not self.is_for(user):
            check(GAMES_READERS["private match"])

    def is_for(self, user: str) -> bool:
        """Return whether a user can watch."""
        return not self.private or user in (*self.players, self.referee, HUB)

    def check_active(self) -> None:
        """Raise Conflict if the match is over."""
        if self.status != "active":
            raise Conflict(f"This match is {self.status}; start another one.")

    def check_player(self, user: str) -> None:
        """Raise NotAllowed for a user who does not play."""
        self.check_exists()
        if user not in self.scores:
            check(GAMES_GRANTS["games.resign"])

    def check_scorer(self, by: str, player: str) -> None:
        """
        Return if a user can give points to a player.

        Raises:
            NotFound: the match does not exist.
            NotAllowed: players score only for themselves, and not if there is a referee.
            Invalid: the player does not play.
        """
        if self.referee is None:
            # A match that does not exist has no referee either, and no players.
            if by not in self.scores:
                self.check_player(by)
            if player != by:
                raise NotAllowed("Without a referee players score only for themselves.")
        elif by != self.referee:
            raise NotAllowed("Only this match's referee can score.")
        elif not isinstance(player, str) or player not in self.scores:
            raise Invalid(f"{shown(player)} does not play in this match.")

    def check_playing(self, player: str) -> None:
        """Raise Conflict if the match is over, for everyone or for this player."""
        self.check_active()
        if player in self.gone:
            raise Conflict("This player has resigned or forfeited.")

    def ends_at(self) -> datetime | None:
        """Return the end of its time, if it has a time limit."""
        seconds = self.rules.seconds_max
        if seconds is None or self.started_at is None:
            return None
        return self.started_at + timedelta(seconds=seconds)

    def standing(self, now: datetime) -> Standing:
        """Return the standing, in containers of its own."""
        ends_at = self.ends_at()
        playing = [player for player in self.players if player not in self.gone]
        time_is_up = ends_at is not None and ends_at <= now
        return Standing(playing, dict(self.scores), dict(self.turns), time_is_up)


def match_of(stream: str, state: MatchState) -> Match:
    """Return the public form of a match."""
    if state.started_at is None:
        raise _not_found()
    return Match(
        id_of(stream),
        stream,
        list(state.players),
        dict(state.scores),
        state.status,
        state.winner,
        # Copy the options, a dict that a caller in the process may change.
        deepcopy(state.rules) if isinstance(state.rules, Custom) else state.rules,
        state.started_at,
        state.ended_at,
        state.board,
        state.referee,
        state.private,
        state.game,
        list(state.gone),
        state.reason,
    )


def match_stream(match_id: object) -> str:
    """
    Return a match's stream.

    Raises:
        Invalid: it is not a string.
        NotFound: it is longer than any id.
    """
    if not isinstance(match_id, str):
        raise Invalid(f"A match id must be a string, not {shown(match_id)}.")
    if len(match_id) > ID_CHARS_MAX:
        raise _not_found()
    return f"{_KIND}{match_id}"


def is_match(stream: str) -> bool:
    """Return whether a stream belongs to a match."""
    return stream.startswith(_KIND)


def id_of(stream: str) -> str:
    """Return the id of a match's stream."""
    return stream.removeprefix(_KIND)


def _not_found() -> NotFound:
    return NotFound("This match does not exist; check its id.")
