"""A match, folded from its events without Hubbub's own code. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from .match_books import Score

__all__ = ["GRACE_SECONDS", "MatchFold"]

# How long a player can be disconnected; see the setting ``match_grace_seconds``.
GRACE_SECONDS = 30.0
# How exact a time is, in seconds: events have microseconds.
CLOCK_SECONDS = 0.001
LEAST_SECONDS = GRACE_SECONDS - CLOCK_SECONDS


class MatchFold:
    """
    A match as its events have it.

    Args:
        match: its id.
        steady: whether the clock never jumps, so that times say when something was.

    Attributes:
        broken: the promises that the events break.
        end: ``completed`` or ``cancelled``; None while it runs.
        scored: every score.
        gone: the players who resigned or forfeited.
        dropped: a player who is taken for absent -> since when.
        keys: a player -> the key of the search that has found the match.
        seconds: how long it takes, if it has a time limit.
    """

    def __init__(self, match: str, *, steady: bool) -> None:
        self.broken: list[str] = []
        self.players: list[str] = []
        self.keys: dict[str, str] = {}
        self.by = self.board = ""
        self.private = False
        self.seconds: float | None = None
        self.end: str | None = None
        self.winner: str | None = None
        self.scored: list[Score] = []
        self.gone: list[str] = []
        self.dropped: dict[str, float] = {}
        self._match = match
        self._steady = steady
        self._asked = True
        self._points: int | None = None
        self._began = 0.0
        self._scores: dict[str, int] = {}
        # The players who have taken part.
        self._came: set[str] = set()

    def take(self, event: Mapping[str, Any]) -> None:
        """Take one event in."""
        type_ = event["type"]
        if self.end is not None:
            self._break(f"is {type_} after its end")
        elif self._is_won() and type_ != "completed":
            self._break(f"is {type_} after somebody has won")
        if type_ in ("completed", "cancelled"):
            self._check_end(event)
            self.end, self.winner = type_, event.get("winner")
        elif type_ == "started":
            self._start(event)
        elif type_ == "scored":
            self._score(event)
        else:
            self._look_after(type_, event)

    def close(self) -> None:
        """Note that nothing else has happened."""
        if self.end is None and self._is_won():
            self._break("continues after somebody has won")

    def _start(self, event: Mapping[str, Any]) -> None:
        if self.players:
            self._break("has started twice")
        self.players, self.board = event["players"], event["board"]
        self.keys, self.private = event["keys"], event["private"]
        self.by, self._began = event["by"], _seconds(event)
        self._asked = event.get("asked", True)
        self._points, self.seconds = event["rules"].get("points"), event["rules"].get("seconds")
        self._scores = dict.fromkeys(self.players, 0)
        self._came = {self.by, *self.keys} & {*self.players}
        if self._asked:
            self._came.update(event["present"])

    def _score(self, event: Mapping[str, Any]) -> None:
        player, points = event["player"], event["points"]
        if event["by"] != player or player not in self.players:
            self._break(f"has a score of {player} by {event['by']}")
        if player in self.gone:
            self._break(f"has a score of {player}, who has left")
        self.scored.append((player, points))
        self._scores[player] = self._scores.get(player, 0) + points
        self._came.add(player)

    def _look_after(self, type_: str, event: Mapping[str, Any]) -> None:
        player = event.get("player", event["by"])
        if type_ == "dropped":
            self.dropped[player] = _seconds(event)
            return
        since = self.dropped.pop(player, None)
        if type_ == "returned" and (self._asked or event.get("acted")):
            self._came.add(player)
        elif type_ == "resigned":
            self.gone.append(player)
            self._came.add(player)
        elif type_ == "forfeited":
            self.gone.append(player)
            away = None if since is None else _seconds(event) - since
            if away is None or (self._steady and away < LEAST_SECONDS):
                self._break(f"has {player} forfeit, who has not been away for long")

    def _check_end(self, event: Mapping[str, Any]) -> None:
        left, all_came = self._left(), {*self.players} <= self._came
        if event["type"] == "cancelled":
            if left and all_came:
                self._break(f"is cancelled, and {left} could have won")
            return
        winner = event["winner"]
        if event["scores"] != self._scores:
            self._break(f"ends with {event['scores']}, and {self._scores} was scored")
        if not all_came:
            self._break(f"is won against a player who never joined; {self._came} did")
        if winner not in self._winners():
            self._break(f"is won by {winner}, and not by {self._winners()}")
        in_time = self._steady and self.seconds is not None and len(left) > 1
        if in_time and _seconds(event) < self._began + (self.seconds or 0) - CLOCK_SECONDS:
            self._break("ends before its time is up")

    def _winners(self) -> list[str | None]:
        """Return the players who can be the winner; None for a draw."""
        left = self._left()
        if len(left) == 1:
            return [left[0]]
        if self._points is not None:
            return [player for player in left if self._scores[player] >= self._points]
        most = max((self._scores[player] for player in left), default=0)
        first = [player for player in left if self._scores[player] == most]
        return [first[0] if len(first) == 1 else None]

    def _left(self) -> list[str]:
        return [player for player in self.players if player not in self.gone]

    def _is_won(self) -> bool:
        points = self._points
        return points is not None and any(score >= points for score in self._scores.values())

    def _break(self, what: str) -> None:
        self.broken.append(f"{self._match} {what}.")


def _seconds(event: Mapping[str, Any]) -> float:
    return datetime.fromisoformat(event["at"]).timestamp()
