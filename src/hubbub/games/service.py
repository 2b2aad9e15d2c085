"""Games: matches, matchmaking and leaderboards."""

from __future__ import annotations

from typing import Any

from ..journal.actor import Actor
from ..journal.command import Command
from ..service import Service, command, query, slow_command, slow_query
from .boards.board import Board, Entry, Season
from .boards.methods import BoardMethods
from .events import BoardOrder, Operator
from .matches.match import Match, MatchStatus
from .matches.methods import MatchMethods
from .matches.rules import AnyRules
from .matches.supervisor import MatchSupervisor

__all__ = ["Games"]


class Games(Service):
    """
    Matches, matchmaking and leaderboards.

    Args:
        actor: the user of the session.
        supervisor: the matches of the hub.
    """

    name = "games"

    __slots__ = ("_boards", "_matches")

    def __init__(self, actor: Actor, supervisor: MatchSupervisor) -> None:
        super().__init__(actor)
        self._boards = BoardMethods(actor)
        self._matches = MatchMethods(actor, supervisor)

    @command
    def create_board(
        self,
        name: str,
        *,
        operator: Operator = "best",
        order: BoardOrder = "desc",
        reset: str | None = None,
    ) -> Command[Board]:
        """
        Create a leaderboard. Creating the same one again changes nothing.

        Over a network a user can create ``boards_made_max`` boards, with seasons of
        ``season_seconds_min`` or more.

        Args:
            name: up to 100 characters in one line, without a slash.
            operator: ``best`` keeps a user's best score, ``sum`` adds up, ``latest`` replaces.
            order: ``desc`` if the highest is the best, ``asc`` if the lowest is.
            reset: when a new season begins: a cron schedule of five fields, in UTC.

        Raises:
            Invalid: an argument is outside its limits.
            Conflict: another board has this name, or you have created as many boards as you can.
        """
        return self._boards.create(name, operator, order, reset)

    @command
    def submit(
        self,
        board: str,
        score: int | float,  # noqa: PYI041  (a float alone would round a large int from a network)
        *,
        metadata: dict[str, Any] | None = None,
        key: str | None = None,
    ) -> Command[Entry]:
        """
        Submit a score of yours to a board.

        Args:
            board: a board's name.
            score: a number from -2**53 to 2**53.
            metadata: shown with the score: an object of up to 4,096 bytes of JSON.
            key: an idempotency key.

        Raises:
            NotFound: the board does not exist.
            Invalid: the score or the metadata is outside its limits.
            Conflict: the sum would be too large.
            KeyReused: you used the key for another command.
        """
        return self._boards.submit(board, score, metadata, key)

    @query
    def top(
        self,
        board: str,
        *,
        limit: int = 10,
        after: int | str | None = None,
        before: int | str | None = None,
    ) -> Command[list[Entry]]:
        """
        List a board's entries, the best first.

        Args:
            board: a board's name.
            limit: 1 to 500.
            after: an entry's cursor, a rank, or the id of a user on the board: list only entries
                after it. A cursor stays in place while scores change.
            before: the same, to list only entries before it; without ``after``, the last of them.

        Raises:
            NotFound: the board does not exist, or the user has no entry.
            Invalid: an argument is outside its limits.
        """
        return self._boards.top(board, limit, after, before)

    @query
    def rank(self, board: str, user_id: str | None = None) -> Command[Entry]:
        """
        Return a user's entry, by default yours.

        Raises:
            NotFound: the board does not exist, or the user has no entry.
        """
        return self._boards.rank(board, user_id)

    @query
    def around(
        self, board: str, user_id: str | None = None, *, limit: int = 5
    ) -> Command[list[Entry]]:
        """
        List the entries around a user's, by default yours, in the middle if possible.

        Args:
            board: a board's name.
            user_id: a user with an entry.
            limit: the number of entries, 1 to 500.

        Raises:
            NotFound: the board does not exist, or the user has no entry.
            Invalid: the limit is not between 1 and 500.
        """
        return self._boards.around(board, user_id, limit)

    @query
    def board(self, name: str) -> Command[Board]:
        """
        Return a board's settings.

        Raises:
            NotFound: the board does not exist.
        """
        return self._boards.board(name)

    @query
    def seasons(self, board: str) -> Command[list[Season]]:
        """
        List the past seasons of a board, the oldest first.

        Raises:
            NotFound: the board does not exist.
        """
        return self._boards.seasons(board)

    @slow_query
    async def season(
        self,
        board: str,
        number: int,
        *,
        limit: int = 10,
        after: int | str | None = None,
        before: int | str | None = None,
    ) -> list[Entry]:
        """
        List the entries of a past season, as they were at its end.

        Args:
            board: a board's name.
            number: the number of the season; the first is 1.
            limit: 1 to 500.
            after, before: the same as for :meth:`top`.

        Raises:
            NotFound: the board does not exist, the season is not a past season, or the user has no
                entry in it.
            Invalid: an argument is outside its limits.
        """
        return await self._boards.season(board, number, limit, after, before)

    @command
    def start_match(
        self,
        players: list[str],
        *,
        rules: AnyRules | None = None,
        board: str | None = None,
        referee: str | None = None,
        private: bool = False,
        game: str | None = None,
        key: str | None = None,
    ) -> Command[Match]:
        """
        Start a match.

        Over a network you must be one of the players, the others must be connected, and you can
        have ``matches_begun_max`` running matches. A match counts for ratings and boards if at
        least two players have taken part; in the process the application's referee vouches for
        them. Over a network the other players take part by acting: they score, send a message to
        the game, or resign. Moderators and admins start matches like the application does.
        The match changes ratings only if it has a referee who does not play.

        Args:
            players: the ids of 2 to 64 users, in display order.
            rules: how the match is won; by default the game's rules, or the first to 100 points.
                The options of Custom rules can have up to 4,096 bytes of JSON.
            board: the board where the winner gets points, 10 by default; it is created if
                necessary. The default is the game's board, or ``main``.
            referee: the only user who can score; without a referee players score for themselves.
            private: True to let only its players follow it.
            game: the name of a game of the hub, which runs the match and is its referee.
            key: an idempotency key.

        Raises:
            Invalid: an argument is outside its limits, or the game does not exist.
            NotFound: a player or the referee does not exist.
            NotAllowed: over a network: you are not one of the players.
            Conflict: over a network: a player is not connected, you have too many running
                matches, or the board would be one more than you can create.
            KeyReused: you used the key for another command.
        """
        return self._matches.start(players, rules, board, referee, private, game, key)

    @command
    def add_score(
        self, match_id: str, points: int, *, player: str | None = None, key: str | None = None
    ) -> Command[Match]:
        """
        Give points to a player, which can end the match.

        Args:
            match_id: a match's id.
            points: a number that the rules permit: 1 or more for most rules.
            player: the player who gets the points; by default you.
            key: an idempotency key.

        Raises:
            NotFound: the match does not exist.
            NotAllowed: you do not play, or you cannot give points to this player.
            Invalid: the rules do not permit the points, or the player does not play.
            Conflict: the match is over, for everyone or for this player.
            KeyReused: you used the key for another command.
        """
        return self._matches.add_score(match_id, points, player, key)

    @command
    def resign(self, match_id: str) -> Command[Match]:
        """
        Resign from a match; the last remaining player wins it.

        Raises:
            NotFound: the match does not exist.
            NotAllowed: you do not play.
            Conflict: the match is over.
        """
        return self._matches.resign(match_id)

    @query
    def match(self, match_id: str) -> Command[Match]:
        """
        Return a match.

        Raises:
            NotFound: the match does not exist.
            NotAllowed: the match is private, and you are not one of its players.
        """
        return self._matches.match(match_id)

    @slow_query
    async def matches(self, *, status: MatchStatus | None = None, limit: int = 50) -> list[Match]:
        """
        List the newest matches that you can watch, in the order of their start.

        Args:
            status: list only matches that are ``active``, ``completed`` or ``cancelled``.
            limit: 1 to 500.

        Raises:
            Invalid: an argument is outside its limits.
        """
        return await self._matches.matches(status, limit)

    @command
    def message(
        self, match_id: str, body: dict[str, Any], *, key: str | None = None
    ) -> Command[None]:
        """
        Send a message to the game that runs a match, in a format that the game defines.

        It returns when the game has handled the message, or raises the error with which the
        game refuses it. The game reads your messages in the order in which you send them.

        Args:
            match_id: a match's id.
            body: an object of up to 16,384 bytes of JSON.
            key: an idempotency key, remembered as long as the server runs.

        Raises:
            HubbubError: the game refuses the message.
            NotFound: the match does not exist.
            Invalid: the body is outside its limits.
            NotAllowed: you do not play.
            Conflict: the match is over, ends before the game reads the message, or has no game.
            Overloaded: the game reads messages more slowly than they arrive.
            KeyReused: you used the key for another message.
            Closed: the hub is closing, and the game may have missed the message.
        """
        return self._matches.message(match_id, body, key)

    @slow_command
    async def find_match(
        self, *, queue: str = "default", timeout: float = 30, key: str | None = None
    ) -> Match:
        """
        Wait for opponents who play about as well as you do, and start a match with them.

        While a match of this game is running that a search has found for you, and that you have
        not left, you get that match. A game with ``resumes=False`` starts another one instead.

        Args:
            queue: the name of a game.
            timeout: how long to wait, in seconds, up to 600.
            key: an idempotency key.

        Raises:
            Invalid: the queue does not exist, or the timeout is outside its limits.
            NoOpponent: no opponent was found in time.
            Conflict: you are already searching, or have too many running matches.
            Overloaded: too many users are searching for a match.
            KeyReused: you used the key for another command.
        """
        return await self._matches.find(queue, timeout, key)
