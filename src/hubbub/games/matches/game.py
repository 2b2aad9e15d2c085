"""A game: what an application defines for its matches, under one name. Pure."""

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
    """The match, as its handler sees and changes it."""

    @property
    def match(self) -> Match:
        """The match as it was before the current call of the handler."""

    async def add_score(
        self, player: str, points: int, *, saying: dict[str, Any] | None = None
    ) -> Match:
        """
        Give a player points, as the referee; they are durable when this returns.

        Args:
            player: the player who gets them.
            points: a number that the rules permit.
            saying: a message to all followers in the same transaction, before the points.

        Raises:
            Invalid: the points or the message are outside their limits.
            Conflict: the match is over, or the player has resigned or forfeited.
        """

    async def tell(self, body: dict[str, Any]) -> None:
        """
        Send a durable message to all followers of the match: an event in its stream.

        Args:
            body: an object of up to 16,384 bytes of JSON.

        Raises:
            Invalid: the body is outside its limits.
            Conflict: the match is over.
        """

    def broadcast(self, body: dict[str, Any]) -> None:
        """
        Send an ephemeral signal of up to the same size to the current followers.

        Raises:
            Invalid: the body is outside its limits.
        """

    async def tell_player(self, player: str, body: dict[str, Any]) -> None:
        """
        Send a message to one player alone, like the cards in their hand.

        It is an event of the type ``told_player`` in the player's own stream, ``user/ID``, which
        nobody else can read. It is durable: a player who reconnects follows the stream from
        their last event.

        Args:
            player: the player who gets the message.
            body: an object of up to 16,384 bytes of JSON.

        Raises:
            Invalid: the user does not play in this match, or the body is outside its limits.
            Conflict: the match is over.
        """

    async def finish(self, winner: str | None) -> Match:
        """
        End the match with a result, whatever its rules would decide.

        Points and ratings change as after a result by the rules. The match is cancelled
        instead if fewer than two players have taken part, or the winner has not.

        Args:
            winner: a player who is still in the match; None for a draw.

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
        Submit a score of a player to a board, even after the match is over.

        Args:
            board: a board's name; create it first with ``games.create_board``.
            player: the player who gets the score.
            score: a number from -2**53 to 2**53.
            metadata: shown with the score: an object of up to 4,096 bytes of JSON.

        Raises:
            NotFound: the board does not exist.
            Invalid: the user does not play in this match, or an argument is outside its limits.
            Conflict: the sum would be too large.
        """

    async def cancel(self, reason: str) -> None:
        """End the match without a result; the reason is cut to 200 characters."""

    def start_soon(self, work: Callable[..., Any], *args: object) -> None:
        """
        Run a task beside the handler, until the match ends.

        Raises:
            Invalid: it was called before ``on_start`` or after the end of the match.
        """

    @property
    def random(self) -> Random:
        """A source of randomness; seeded if the hub's is."""


class Handler:
    """
    Runs one match; you write a subclass, and each match has its own instance.

    Hubbub calls the methods of a match one after another, never two at once. A method that
    raises, or takes longer than its game's ``call_seconds_max``, cancels its match.
    The exception is a HubbubError from ``on_message``, which refuses the message.
    """

    async def on_start(self, table: Table) -> None:
        """Begin; also called after a restart of the process, and after the store has failed."""

    async def on_message(self, table: Table, player: str, body: dict[str, Any]) -> None:
        """
        Handle a message that a player has sent with ``games.message``.

        Raise a HubbubError to refuse it: the player's call raises that error, and the match
        continues. Raise it before you change anything, because changes are not undone. Do not
        await a message to the same match in here: it would wait for itself.

        Raises:
            HubbubError: your method refuses the message.
        """

    async def on_tick(self, table: Table, tick: int) -> None:
        """Handle a tick at the game's tick rate; a missed tick is skipped."""

    async def on_end(self, table: Table) -> None:
        """Clean up; the match is completed or cancelled."""


class Game(msgspec.Struct, frozen=True):
    """
    A kind of match, and its matchmaking queue.

    Args:
        size: the number of players that matchmaking brings together, 2 to 64.
        rules: the default rules of a match.
        board: the board where winners get points.
        handler: makes the handler of a match; None if the players score for themselves.
        ticks_per_second: how often ``on_tick`` is called, up to 120; 0 for never.
        call_seconds_max: how long a method of the handler can take; a long wait for the store
            counts only for a tenth of a second.
        decide: decides :class:`hubbub.Custom` rules with this game's name.
        win_points: the points that the winner gets on the board; 0 for none. None uses the
            setting ``match_win_points``.
        rated: whether its matches change ratings. In any game, only matches do that
            matchmaking has made, or that have a referee who does not play.
        rating_range, rating_range_per_second: how far apart the ratings of players in its
            queue can be. None uses the setting of this name.
        resumes: whether a player who searches again while a match of this game is running that
            matchmaking has made for them gets that match. False starts another one beside it.
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
    resumes: bool = True


def check_games(games: Mapping[str, Game]) -> None:
    """Raise Invalid if a game is outside its limits."""
    for name, game in games.items():
        if type(game.size) is not int or not 2 <= game.size <= PLAYERS_MAX:
            players = f"{game.size!r} players; give it 2 to {PLAYERS_MAX}."
            raise Invalid(f"The game {name!r} has {players}")
        if not 0 <= game.ticks_per_second <= TICKS_PER_SECOND_MAX:
            raise Invalid(
                f"The game {name!r} must have 0 to {TICKS_PER_SECOND_MAX:.0f} ticks_per_second."
            )
        if not game.call_seconds_max > 0:
            raise Invalid(f"The game {name!r} must have a call_seconds_max above 0.")
        check_rules(game.rules)
        _check_counting(name, game)


def _check_counting(name: str, game: Game) -> None:
    if not isinstance(game.rated, bool):
        raise Invalid(f"The game {name!r} must have rated=True or False, not {game.rated!r}.")
    points = game.win_points
    if points is not None and not (type(points) is int and 0 <= points <= POINTS_MAX):
        most = f"0 to {POINTS_MAX:,}, or None"
        raise Invalid(f"The game {name!r} has win_points={points!r}; give {most}.")
    if type(game.resumes) is not bool:
        raise Invalid(f"The game {name!r} has resumes={game.resumes!r}; give True or False.")
    for what in ("rating_range", "rating_range_per_second"):
        range_ = getattr(game, what)
        if range_ is not None and not (type(range_) in (int, float) and range_ >= 0):
            raise Invalid(f"The game {name!r} has {what}={range_!r}; give 0 or more, or None.")


def outcome(rules: AnyRules, standing: Standing, games: Mapping[str, Game]) -> Outcome | None:
    """
    Return how the match has ended, or None while it is running.

    Raises:
        Invalid: the hub does not have these rules.
        ValueError: their winner does not play in the match.
    """
    if not isinstance(rules, Custom):
        return rules.decide(standing)
    ended = decider(rules, games)(rules.options, standing)
    if ended is not None and ended.winner not in (None, *standing.players):
        raise ValueError(f"{rules.game!r} names {ended.winner!r} as the winner, who does not play.")
    return ended


def decider(rules: Custom, games: Mapping[str, Game]) -> Decide:
    """
    Return the function that decides an application's own rules.

    Raises:
        Invalid: the hub does not have these rules.
    """
    game = games.get(rules.game) if isinstance(rules.game, str) else None
    if game is None or game.decide is None:
        raise Invalid(f"This hub has no rules {shown(rules.game)}; open it with that game.")
    return game.decide
