"""How a match is won: rules as data, which travel, each with its decision. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from ...errors import Conflict, Invalid
from ...shown import shown

__all__ = [
    "AnyRules",
    "BestOf",
    "Custom",
    "Decide",
    "FirstTo",
    "Outcome",
    "Rounds",
    "Rules",
    "Standing",
    "Timed",
    "check_rules",
    "leader",
]

# Points to which rules may let a match go.
POINTS_MAX = 1_000_000_000
# Rounds that rules may let a match have.
ROUNDS_MAX = 1_000
# The longest match by the clock, in seconds: a week.
SECONDS_MAX = 7 * 24 * 3600.0


class Standing(msgspec.Struct, frozen=True):
    """
    How a match stands, as its rules see it.

    Args:
        players: those who are still in it, in the order in which they were named.
        scores: the points of each player, also of those who resigned.
        turns: how often each has scored.
        time_is_up: True when a match that has a time is past it.
    """

    players: list[str]
    scores: dict[str, int]
    turns: dict[str, int]
    time_is_up: bool = False


class Outcome(msgspec.Struct, frozen=True):
    """How a match ended; without a winner it is a draw."""

    winner: str | None


# What an application writes for rules of its own: options and a standing come in, and
# None goes out while the match goes on. It must be pure: it may run several times.
Decide = Callable[[Mapping[str, Any], Standing], Outcome | None]


class Rules(msgspec.Struct, frozen=True):
    """Base of the rules."""

    @property
    def seconds_max(self) -> float | None:
        """How long the match takes at most, in seconds."""
        return None

    def check(self) -> None:
        """Raise Invalid if a number is outside its limits."""

    def check_turn(self, points: int, turns: int) -> None:
        """
        Check one score of a player who has scored so often before.

        Raises:
            Invalid: the rules do not know such points.
            Conflict: the player has had all turns.
        """
        if points < 1:
            raise Invalid(f"A score has at least 1 point, not {points}.")

    def goes_on(self, score: int) -> bool:
        """Tell at once that a player who gets to a score ends nothing; False if in doubt."""
        return False

    def decide(self, standing: Standing) -> Outcome | None:
        """Return how the match has ended, or None while it goes on."""
        raise NotImplementedError


class FirstTo(Rules, frozen=True, tag="first_to"):
    """The first with so many points wins."""

    points: int = 100

    def check(self) -> None:
        """Raise Invalid if a number is outside its limits."""
        _check_count("points", self.points, POINTS_MAX)

    def goes_on(self, score: int) -> bool:
        """Tell at once that a player who gets to a score ends nothing."""
        return score < self.points

    def decide(self, standing: Standing) -> Outcome | None:
        """Return how the match has ended, or None while it goes on."""
        there = [player for player in standing.players if standing.scores[player] >= self.points]
        return Outcome(there[0]) if there else None


class BestOf(Rules, frozen=True, tag="best_of"):
    """A score is one round that was won; the first to have more than half of them wins."""

    rounds: int

    def check(self) -> None:
        """Raise Invalid if a number is outside its limits."""
        _check_count("rounds", self.rounds, ROUNDS_MAX)

    def check_turn(self, points: int, turns: int) -> None:
        """Take one point for one round."""
        if points != 1:
            raise Invalid(f"In a best-of match a score is one round: 1 point, not {points}.")

    def decide(self, standing: Standing) -> Outcome | None:
        """Return how the match has ended, or None while it goes on."""
        for player in standing.players:
            if standing.scores[player] > self.rounds // 2:
                return Outcome(player)
        # More than two can share the rounds so that nobody has half of them.
        return leader(standing) if sum(standing.turns.values()) >= self.rounds else None


class Timed(Rules, frozen=True, tag="timed"):
    """Whoever has the most points when the time is up wins."""

    seconds: float

    @property
    def seconds_max(self) -> float | None:
        """How long the match takes at most, in seconds."""
        return self.seconds

    def check(self) -> None:
        """Raise Invalid if a number is outside its limits."""
        good = type(self.seconds) in (int, float) and 0 < self.seconds <= SECONDS_MAX
        if not good:
            raise Invalid(f"A match takes more than 0 and up to {SECONDS_MAX:.0f} seconds.")

    def decide(self, standing: Standing) -> Outcome | None:
        """Return how the match has ended, or None while it goes on."""
        return leader(standing) if standing.time_is_up else None


class Rounds(Rules, frozen=True, tag="rounds"):
    """Everybody scores once in each of n rounds, 0 points or more; the most points win."""

    n: int

    def check(self) -> None:
        """Raise Invalid if a number is outside its limits."""
        _check_count("rounds", self.n, ROUNDS_MAX)

    def check_turn(self, points: int, turns: int) -> None:
        """Take a player's points once for each round."""
        if points < 0:
            raise Invalid(f"A round has 0 points or more, not {points}.")
        if turns >= self.n:
            raise Conflict(f"All {self.n} rounds of this player are over; wait for the others.")

    def decide(self, standing: Standing) -> Outcome | None:
        """Return how the match has ended, or None while it goes on."""
        done = all(standing.turns[player] >= self.n for player in standing.players)
        return leader(standing) if done else None


class Custom(Rules, frozen=True, tag="custom"):
    """
    Rules that the application has brought.

    Args:
        game: the name of a :class:`hubbub.Game` that has a ``decide``.
        options: what that is given, besides the standing.
    """

    game: str
    options: dict[str, Any] = {}


AnyRules = FirstTo | BestOf | Timed | Rounds | Custom


def leader(standing: Standing) -> Outcome:
    """Let the player who has the most points win; if there are two of them it is a draw."""
    most = max(standing.scores[player] for player in standing.players)
    first = [player for player in standing.players if standing.scores[player] == most]
    return Outcome(first[0] if len(first) == 1 else None)


def check_rules(rules: object) -> AnyRules:
    """
    Return rules that a match can have.

    Raises:
        Invalid: they are none, or a number is outside its limits.
    """
    if not isinstance(rules, AnyRules):
        raise Invalid(f"Rules are FirstTo, BestOf, Timed, Rounds or Custom, not {shown(rules)}.")
    rules.check()
    return rules


def _check_count(what: str, count: object, most: int) -> None:
    if type(count) is not int or not 1 <= count <= most:
        raise Invalid(f"A match has 1 to {most} {what}, not {shown(count)}.")
