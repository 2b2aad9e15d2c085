"""What an application brings for its matches, under one name. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random
from typing import Any, Protocol

import msgspec

from ...errors import Invalid
from ...shown import shown
from .match import Match
from .rules import AnyRules, Custom, Decide, FirstTo, Outcome, Standing, check_rules

__all__ = ["Game", "Handler", "Table", "check_games", "outcome"]

# Players of one match.
PLAYERS_MAX = 64
# Ticks of a game in a second.
TICKS_PER_SECOND_MAX = 120.0


class Table(Protocol):
    """What a handler sees of its match, and does to it."""

    @property
    def match(self) -> Match:
        """The match as it was when the handler last heard of it."""

    async def add_score(
        self, player: str, points: int, *, saying: dict[str, Any] | None = None
    ) -> Match:
        """
        Give a player points, as the referee; they are durable when it returns.

        Args:
            player: who gets them.
            points: what the rules permit.
            saying: what is told in the same transaction, before the points.
        """

    async def tell(self, body: dict[str, Any]) -> None:
        """
        Say something to everybody who follows: an event, which is kept and missed by nobody.

        Args:
            body: an object of up to 16,384 bytes as JSON.
        """

    def broadcast(self, body: dict[str, Any]) -> None:
        """Say something as large to those who follow just now: a signal, which is not kept."""

    async def cancel(self, reason: str) -> None:
        """End the match without a result; of the reason 200 characters are kept."""

    def start_soon(self, work: Callable[..., Any], *args: object) -> None:
        """Run something beside the handler, until the match ends."""

    @property
    def random(self) -> Random:
        """Where chance comes from; seeded if the hub's is."""


class Handler:
    """
    Runs one match; the application writes a subclass, of which each match has its own.

    The methods of one match are called one after another, never two at once. One that
    raises, or takes longer than its game's ``call_seconds_max``, ends its own match as cancelled.
    """

    async def on_start(self, table: Table) -> None:
        """Begin; also when the process was started again while the match went on."""

    async def on_message(self, table: Table, player: str, body: dict[str, Any]) -> None:
        """Take what a player has sent by ``games.message``."""

    async def on_tick(self, table: Table, tick: int) -> None:
        """Go on; called at the game's tick rate, and a tick that was missed is left out."""

    async def on_end(self, table: Table) -> None:
        """Tidy up; the match is completed or cancelled."""


class Game(msgspec.Struct, frozen=True):
    """
    A kind of match, and the queue of those who look for one.

    Args:
        size: how many players matchmaking brings together, 2 to 64.
        rules: what a match of it is played by, unless it is given others.
        board: where its winners get points.
        handler: makes what runs a match; None if the players score for themselves.
        ticks_per_second: how often ``on_tick`` is called, up to 120; 0 is never.
        call_seconds_max: how long a method of the handler may take.
        decide: decides what :class:`hubbub.Custom` rules of this game's name mean.
    """

    size: int = 2
    rules: AnyRules = FirstTo()
    board: str = "main"
    handler: Callable[[], Handler] | None = None
    ticks_per_second: float = 0.0
    call_seconds_max: float = 1.0
    decide: Decide | None = None


def check_games(games: Mapping[str, Game]) -> None:
    """Raise Invalid if a game is outside its limits."""
    for name, game in games.items():
        if type(game.size) is not int or not 2 <= game.size <= PLAYERS_MAX:
            players = f"{game.size!r} players; give it 2 to {PLAYERS_MAX}."
            raise Invalid(f"The game {name!r} has {players}")
        if not 0 <= game.ticks_per_second <= TICKS_PER_SECOND_MAX:
            raise Invalid(
                f"The game {name!r} ticks 0 to {TICKS_PER_SECOND_MAX:.0f} times a second."
            )
        if not game.call_seconds_max > 0:
            raise Invalid(f"The game {name!r} needs a call_seconds_max above 0.")
        check_rules(game.rules)


def outcome(rules: AnyRules, standing: Standing, games: Mapping[str, Game]) -> Outcome | None:
    """
    Return how a match has ended, or None while it goes on.

    Raises:
        Invalid: nobody has brought these rules.
        ValueError: they let somebody win who is not in the match.
    """
    if not isinstance(rules, Custom):
        return rules.decide(standing)
    ended = decider(rules, games)(rules.options, standing)
    if ended is not None and ended.winner not in (None, *standing.players):
        raise ValueError(f"{rules.game!r} decides that {ended.winner!r} wins, who does not play.")
    return ended


def decider(rules: Custom, games: Mapping[str, Game]) -> Decide:
    """
    Return what decides rules of the application's own.

    Raises:
        Invalid: nobody has brought them.
    """
    game = games.get(rules.game) if isinstance(rules.game, str) else None
    if game is None or game.decide is None:
        raise Invalid(f"This hub has no rules {shown(rules.game)}; open it with that game.")
    return game.decide
