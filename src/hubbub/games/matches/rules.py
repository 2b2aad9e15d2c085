"""The rules of a match: data that travels over a network, with its decision. Pure."""

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

# The most points of a match's rules.
POINTS_MAX = 1_000_000_000
# The most rounds of a match's rules.
ROUNDS_MAX = 1_000
# The longest match by the clock, in seconds: a week.
SECONDS_MAX = 7 * 24 * 3600.0


class Standing(msgspec.Struct, frozen=True):
    """
    The standing of a match, as its rules see it.

    Args:
        players: the players who are still in it, in the order in which they were named.
        scores: the points of each player, also of players who resigned.
        turns: how often each player has scored.
        time_is_up: True if the time of the match is over.
    """

    players: list[str]
    scores: dict[str, int]
    turns: dict[str, int]
    time_is_up: bool = False


class Outcome(msgspec.Struct, frozen=True):
    """The end of a match; without a winner it is a draw."""

    winner: str | None


# An application's own rules: a function of the options and the standing, that returns None while
# the match is running. It must be pure, because it may run several times.
Decide = Callable[[Mapping[str, Any], Standing], Outcome | None]


class Rules(msgspec.Struct, frozen=True):
    """Base of the rules."""

    @property
    def seconds_max(self) -> float | None:
        """The longest time that the match can take, in seconds."""
        return None

    def check(self) -> None:
        """
        Return if all numbers are within their limits.

        Raises:
            Invalid: a number is outside its limits.
        """

    def check_turn(self, points: int, turns: int) -> None:
        """
        Check a score of a player who has scored a number of times before.

        Raises:
            Invalid: the rules do not permit these points.
            Conflict: the player has used all turns.
        """
        if points < 1:
            raise Invalid(f"A score must have at least 1 point, not {points}.")

    def goes_on(self, score: int) -> bool:
        """Return True if a player's score certainly does not end the match; False if in doubt."""
        return False

    def decide(self, standing: Standing) -> Outcome | None:
        """Return how the match has ended, or None while it is running."""
        raise NotImplementedError


class FirstTo(Rules, frozen=True, tag="first_to"):
    """The first player to reach a number of points wins."""

    points: int = 100

    def check(self) -> None:
        """Raise Invalid if a number is outside its limits."""
        _check_count("points", self.points, POINTS_MAX)

    def goes_on(self, score: int) -> bool:
        """Return True if a player's score certainly does not end the match."""
        return score < self.points

    def decide(self, standing: Standing) -> Outcome | None:
        """Return how the match has ended, or None while it is running."""
        there = [player for player in standing.players if standing.scores[player] >= self.points]
        return Outcome(there[0]) if there else None


class BestOf(Rules, frozen=True, tag="best_of"):
    """A score is one round that was won; the first player to win more than half wins."""

    rounds: int

    def check(self) -> None:
        """Raise Invalid if a number is outside its limits."""
        _check_count("rounds", self.rounds, ROUNDS_MAX)

    def check_turn(self, points: int, turns: int) -> None:
        """Accept one point for one round."""
        if points != 1:
            raise Invalid(f"In a best-of match a score is one round: give 1 point, not {points}.")

    def decide(self, standing: Standing) -> Outcome | None:
        """Return how the match has ended, or None while it is running."""
        for player in standing.players:
            if standing.scores[player] > self.rounds // 2:
                return Outcome(player)
        # More than two players can share the rounds so that no player wins half of them.
        return leader(standing) if sum(standing.turns.values()) >= self.rounds else None


class Timed(Rules, frozen=True, tag="timed"):
    """The player with the most points when the time is up wins."""

    seconds: float

    @property
    def seconds_max(self) -> float | None:
        """The longest time that the match can take, in seconds."""
        return self.seconds

    def check(self) -> None:
        """Raise Invalid if a number is outside its limits."""
        good = type(self.seconds) in (int, float) and 0 < self.seconds <= SECONDS_MAX
        if not good:
            raise Invalid(f"seconds must be more than 0 and at most {SECONDS_MAX:.0f}.")

    def decide(self, standing: Standing) -> Outcome | None:
        """Return how the match has ended, or None while it is running."""
        return leader(standing) if standing.time_is_up else None


class Rounds(Rules, frozen=True, tag="rounds"):
    """Each player scores once in each of n rounds, 0 points or more; the most points win."""

    n: int

    def check(self) -> None:
        """Raise Invalid if a number is outside its limits."""
        _check_count("rounds", self.n, ROUNDS_MAX)

    def check_turn(self, points: int, turns: int) -> None:
        """Accept a player's points once for each round."""
        if points < 0:
            raise Invalid(f"A round must have 0 points or more, not {points}.")
        if turns >= self.n:
            raise Conflict(f"You have played all {self.n} rounds; wait for the other players.")

    def decide(self, standing: Standing) -> Outcome | None:
        """Return how the match has ended, or None while it is running."""
        done = all(standing.turns[player] >= self.n for player in standing.players)
        return leader(standing) if done else None


class Custom(Rules, frozen=True, tag="custom"):
    """
    Rules of the application's own.

    Args:
        game: the name of a :class:`hubbub.Game` with a ``decide``.
        options: the options for ``decide``, besides the standing.
    """

    game: str
    options: dict[str, Any] = {}


AnyRules = FirstTo | BestOf | Timed | Rounds | Custom


def leader(standing: Standing) -> Outcome:
    """Return the player with the most points as the winner; a tie is a draw."""
    most = max(standing.scores[player] for player in standing.players)
    first = [player for player in standing.players if standing.scores[player] == most]
    return Outcome(first[0] if len(first) == 1 else None)


def check_rules(rules: object) -> AnyRules:
    """
    Return rules if a match can have them.

    Raises:
        Invalid: they are not rules, or a number is outside its limits.
    """
    if not isinstance(rules, AnyRules):
        raise Invalid(f"rules must be FirstTo, BestOf, Timed, Rounds or Custom: {shown(rules)}.")
    rules.check()
    return rules


def _check_count(what: str, count: object, most: int) -> None:
    if type(count) is not int or not 1 <= count <= most:
        raise Invalid(f"{what} must be from 1 to {most}, not {shown(count)}.")
