"""A leaderboard, folded from its events without Hubbub's own code. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from fractions import Fraction
from typing import Any

import msgspec

from ..games.boards.cursor import read_cursor
from ..games.events import BoardOrder, Operator

__all__ = ["BoardFold", "BoardRules", "fold_board"]


class BoardRules(msgspec.Struct, frozen=True):
    """
    A board.

    Args:
        name, operator, order, reset: see :meth:`hubbub.games.service.Games.create_board`.
        season_seconds: how often a season ends, in seconds since the beginning of 1970.
    """

    name: str
    operator: Operator
    order: BoardOrder
    reset: str | None = None
    season_seconds: float | None = None


class BoardFold:
    """
    A board as its events have it.

    Args:
        rules: the board's.

    Attributes:
        broken: the promises that the events break.
        submitted: a user -> the scores in the events.
    """

    def __init__(self, rules: BoardRules) -> None:
        self.broken: list[str] = []
        self.submitted: dict[str, list[float]] = defaultdict(list)
        self._rules = rules
        # A user -> their score in this season.
        self._scores: dict[str, Fraction] = {}
        # The event -> the user, and their score after it.
        self._after: dict[int, tuple[str, Fraction]] = {}
        self._ends_at: float | None = None
        # A user -> the best score of each season.
        self._best: dict[str, list[Fraction]] = defaultdict(list)

    def take(self, event: Mapping[str, Any]) -> None:
        """Take one event in."""
        if event["type"] == "reset":
            self._end_season()
        elif event["type"] == "submitted":
            self._submit(event)

    def close(self) -> None:
        """End the last season."""
        self._end_season()

    def has(self, user: str, score: float) -> bool:
        """Return whether a submitted score counts, or could not."""
        if score in self.submitted[user]:
            return True
        # Where only the best counts, a score that is not better leaves no event.
        best = self._best[user] if self._rules.operator == "best" else ()
        return any(not self._is_better(score, one) for one in best)

    def contradicted(self, user: str, score: float, cursor: str) -> Sequence[str]:
        """Return what the events say against an entry that a user has seen."""
        found = self._after.get(read_cursor(cursor).seq)
        if found is None or found[0] != user or float(found[1]) != score:
            there = None if found is None else (found[0], float(found[1]))
            return [f"{user} was on {self._rules.name} with {score}, and the events say {there}."]
        return ()

    def _submit(self, event: Mapping[str, Any]) -> None:
        user, score, name = event["user"], event["score"], self._rules.name
        if score in self.submitted[user]:
            self.broken.append(f"{name} has {score} of {user} twice.")
        self.submitted[user].append(score)
        self._check_season(event)
        exact, before = _exact(score), self._scores.get(user)
        better = before is None or self._is_better(score, before)
        if before is not None and self._rules.operator == "sum":
            exact += before
        elif before is not None and self._rules.operator == "best" and not better:
            self.broken.append(f"{name} has {score} of {user}, after {float(before)}.")
        self._scores[user] = exact
        self._after[event["seq"]] = user, exact

    def _check_season(self, event: Mapping[str, Any]) -> None:
        season = self._rules.season_seconds
        if season is None:
            return
        at = datetime.fromisoformat(event["at"]).timestamp()
        if self._ends_at is None:
            self._ends_at = at - at % season + season
        elif at >= self._ends_at:
            self.broken.append(f"Event {event['seq']} of {self._rules.name} is after its season.")

    def _end_season(self) -> None:
        for user, score in self._scores.items():
            self._best[user].append(score)
        self._scores, self._ends_at = {}, None

    def _is_better(self, score: float, than: Fraction) -> bool:
        exact = _exact(score)
        return exact > than if self._rules.order == "desc" else exact < than


def fold_board(rules: BoardRules, events: Sequence[Mapping[str, Any]]) -> BoardFold:
    """Fold the events of a board."""
    fold = BoardFold(rules)
    for event in events:
        fold.take(event)
    fold.close()
    return fold


def _exact(score: float) -> Fraction:
    # A float stands for the number that its shortest decimal form names.
    return Fraction(repr(score))
