"""Games: what a session can do with matches and boards."""

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
        actor: the user whose commands these are.
        supervisor: what all sessions of the hub share.
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
        Make a leaderboard. To make the same one twice is to make it once.

        Over a network a user may make ``boards_made_max`` boards, whose seasons take
        ``season_seconds_min`` or more.

        Args:
            name: up to 100 characters in one line, without a slash.
            operator: ``best`` keeps a user's best score, ``sum`` adds up, ``latest`` replaces.
            order: ``desc`` if the highest is the best, ``asc`` if the lowest is.
            reset: when a new season begins: a cron schedule of five fields, in UTC.

        Raises:
            Invalid: an argument is outside its limits.
            Conflict: there is one of this name that is not like it, or you have made as many
                boards as you may.
        """
        return self._boards.create(name, operator, order, reset)

    @command
    def submit(
        self,
        board: str,
        score: int | float,  # noqa: PYI041  (a float alone would round what comes over a network)
        *,
        metadata: dict[str, Any] | None = None,
        key: str | None = None,
    ) -> Command[Entry]:
        """
        Let a score of yours count on a board.

        Args:
            board: a board's name.
            score: a number from -2**53 to 2**53.
            metadata: what is shown with it: an object of up to 4,096 bytes as JSON.
            key: makes it exactly-once.

        Raises:
            NotFound: there is no such board.
            Invalid: the score or the metadata is outside its limits.
            Conflict: a sum would be too large.
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
        List a board's entries from the best on.

        Args:
            board: a board's name.
            limit: 1 to 500.
            after: an entry's cursor, a rank, or the id of a user on the board: only entries
                behind it, from the first on. A cursor stays where it is while scores move.
            before: the same: only entries in front of it; without ``after``, the last of them.

        Raises:
            NotFound: there is no such board, or the user has no entry.
            Invalid: an argument is outside its limits.
        """
        return self._boards.top(board, limit, after, before)

    @query
    def rank(self, board: str, user_id: str | None = None) -> Command[Entry]:
        """
        Look up where a user stands, by default you.

        Raises:
            NotFound: there is no such board, or no entry on it.
        """
        return self._boards.rank(board, user_id)

    @query
    def around(
        self, board: str, user_id: str | None = None, *, limit: int = 5
    ) -> Command[list[Entry]]:
        """
        List the entries around a user's, by default yours, which is in the middle if it can be.

        Args:
            board: a board's name.
            user_id: a user who has an entry.
            limit: how many in all, 1 to 500.
        """
        return self._boards.around(board, user_id, limit)

    @query
    def board(self, name: str) -> Command[Board]:
        """Look up a board's settings."""
        return self._boards.board(name)

    @query
    def seasons(self, board: str) -> Command[list[Season]]:
        """List the seasons of a board that are over, the first first."""
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
        List the entries of a season that is over, as they were at its end.

        Args:
            board: a board's name.
            number: the season's; the first is 1.
            limit: 1 to 500.
            after, before: as :meth:`top` takes them.

        Raises:
            NotFound: there is no such board, or no such season that is over.
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

        Over a network you are one of the players, the others must be connected, and
        ``matches_begun_max`` of yours may go on at one time. A match counts for ratings and
        boards if two players or more have come; in the process a referee of the application's
        answers for them. Over a network the other players come by acting: they score, send a
        message to the game, or resign. Moderators and admins start matches as the application does.
        It changes ratings only if it has a referee who does not play.

        Args:
            players: the ids of 2 to 64 users, in the order in which they are shown.
            rules: how it is won; by default the game's, or the first to 100 points. The
                options of Custom rules have up to 4,096 bytes as JSON.
            board: where the winner gets points, 10 by default, made if it is not there; by
                default the game's, or ``main``.
            referee: the user who alone may score; without one players score for themselves.
            private: only its players may follow.
            game: the name of a game of the application's that runs it, and is its referee.
            key: makes it exactly-once.

        Raises:
            Invalid: the players or the rules are outside their limits, or there is no such game.
            NotFound: one of the players was never seen.
            NotAllowed: over a network: you are not one of the players.
            Conflict: over a network: a player is not connected, or too many of your matches go
                on, or the board would be one more than you may make.
        """
        return self._matches.start(players, rules, board, referee, private, game, key)

    @command
    def add_score(
        self, match_id: str, points: int, *, player: str | None = None, key: str | None = None
    ) -> Command[Match]:
        """
        Give points to a player, and end the match if that decides it.

        Args:
            match_id: a match's id.
            points: what the rules permit: 1 or more for most.
            player: who gets them; by default you.
            key: makes it exactly-once.

        Raises:
            NotFound: there is no such match.
            NotAllowed: you do not play, or the points are not yours to give.
            Invalid: the rules do not know such points, or the player does not play.
            Conflict: the match is over, for all or for this player.
        """
        return self._matches.add_score(match_id, points, player, key)

    @command
    def resign(self, match_id: str) -> Command[Match]:
        """
        Resign; when one player is left, that player has won.

        Raises:
            NotFound: there is no such match.
            NotAllowed: you do not play.
            Conflict: the match is over.
        """
        return self._matches.resign(match_id)

    @query
    def match(self, match_id: str) -> Command[Match]:
        """
        Look a match up.

        Raises:
            NotFound: there is no such match.
            NotAllowed: it is private, and not yours.
        """
        return self._matches.match(match_id)

    @slow_query
    async def matches(self, *, status: MatchStatus | None = None, limit: int = 50) -> list[Match]:
        """
        List the newest matches that one may watch, the first to start first.

        Args:
            status: only those that are ``active``, ``completed`` or ``cancelled``.
            limit: 1 to 500.
        """
        return await self._matches.matches(status, limit)

    @command
    def message(
        self, match_id: str, body: dict[str, Any], *, key: str | None = None
    ) -> Command[None]:
        """
        Send a message to the game that runs a match; what it means is the game's to say.

        It returns when the game has taken the message, or raises the error by which the game
        refuses it. Messages that you send before it returns are read in the order in which you
        sent them.

        Args:
            match_id: a match's id.
            body: an object of up to 16,384 bytes as JSON.
            key: makes it exactly-once as long as the server runs.

        Raises:
            HubbubError: the game refuses the message.
            NotFound: there is no such match.
            NotAllowed: you do not play.
            Conflict: the match is over, or ends before the game has read it, or no game runs it.
            Overloaded: the game is slower than messages come.
            Closed: the hub is closing, and the game may not have read it.
        """
        return self._matches.message(match_id, body, key)

    @slow_command
    async def find_match(
        self, *, queue: str = "default", timeout: float = 30, key: str | None = None
    ) -> Match:
        """
        Wait for others who play as well as you do, and start a match with them.

        Args:
            queue: the name of a game.
            timeout: how long to wait, in seconds, up to 600.
            key: makes it exactly-once.

        Raises:
            Invalid: there is no such queue, or the time is outside its limits.
            NoOpponent: nobody was found in time.
            Conflict: you look for a match already, or too many of your matches go on.
            Overloaded: too many users look for a match.
        """
        return await self._matches.find(queue, timeout, key)
