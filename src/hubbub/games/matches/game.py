"""What an application brings for its matches, under one name. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random
from typing import Any, Protocol

import msgspec

from ...errors import Invalid
from ...shown import shown
from ..boards.board import Entry
from .match import Match
from .rules import POINTS_MAX, AnyRules, Custom, Decide, FirstTo, Outcome, Standing, check_rules

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

    async def tell_player(self, player: str, body: dict[str, Any]) -> None:
        """
        Say something to one player alone, like the cards in their hand.

        It is an event of the type ``told_player`` in the player's own stream, ``user/ID``, which
        nobody else may read. It is kept: a player who reconnects follows the stream from the
        last event that they have seen.

        Args:
            player: the player who is told.
            body: an object of up to 16,384 bytes as JSON.

        Raises:
            Invalid: the user does not play in this match, or the body is outside its limits.
            Conflict: the match is over.
        """

    async def finish(self, winner: str | None) -> Match:
        """
        End the match with a result, whatever its rules say.

        It counts as a result by the rules does: with the points and ratings that it has, and
        cancelled instead if fewer than two players, or not the winner, have come.

        Args:
            winner: a player who is still in the match; None is a draw.

        Raises:
            Invalid: the winner does not play, or has resigned or forfeited.
            Conflict: the match is over.
        """

    async def submit(
        self,
        board: str,
        player: str,
        score: int | float,  # noqa: PYI041  (as the session's own method has it)
        *,
        metadata: dict[str, Any] | None = None,
    ) -> Entry:
        """
        Let a score of a player's count on a board, also when the match is over.

        Args:
            board: a board's name; make it with ``games.create_board`` before.
            player: the player whose score it is.
            score: a number from -2**53 to 2**53.
            metadata: what is shown with it: an object of up to 4,096 bytes as JSON.

        Raises:
            NotFound: there is no such board.
            Invalid: the user does not play in this match, or an argument is outside its limits.
            Conflict: a sum would be too large.
        """

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
    Only a HubbubError out of ``on_message`` does not: it refuses the message.
    """

    async def on_start(self, table: Table) -> None:
        """Begin; also when the process was started again while the match went on."""

    async def on_message(self, table: Table, player: str, body: dict[str, Any]) -> None:
        """
        Take what a player has sent by ``games.message``.

        Raise a HubbubError to refuse it: the player's call raises that error, and the match
        goes on. Raise it before you change anything, for what you have done stays done. Do not
        await a message to the same match in here: it would wait for itself.
        """

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
        win_points: what the winner gets on the board; 0 is nothing. None is the setting
            ``match_win_points``.
        rated: whether its matches change ratings. Of any game, only those do that
            matchmaking has made, or that have a referee who does not play.
        rating_range, rating_range_per_second: how far apart the ratings of players may be
            in its queue. None is the setting of this name.
    """

    size: int = 2
    rules: AnyRules = FirstTo()
    board: str = "main"
    handler: Callable[[], Handler] | None = None
    ticks_per_second: float = 0.0
    call_seconds_max: float = 1.0
    decide: Decide | None = None
    win_points: int | None = None
    rated: bool = True
    rating_range: float | None = None
    rating_range_per_second: float | None = None


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
        _check_counting(name, game)


def _check_counting(name: str, game: Game) -> None:
    if not isinstance(game.rated, bool):
        raise Invalid(f"The game {name!r} is rated or not: True or False, not {game.rated!r}.")
    points = game.win_points
    if points is not None and not (type(points) is int and 0 <= points <= POINTS_MAX):
        most = f"0 to {POINTS_MAX:,}, or None"
        raise Invalid(f"The game {name!r} has win_points={points!r}; give {most}.")
    for what in ("rating_range", "rating_range_per_second"):
        range_ = getattr(game, what)
        if range_ is not None and not (type(range_) in (int, float) and range_ >= 0):
            raise Invalid(f"The game {name!r} has {what}={range_!r}; give 0 or more, or None.")


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
