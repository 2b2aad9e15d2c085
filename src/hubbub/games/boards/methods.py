"""Leaderboards: the part of games that needs no match."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeVar

from ...journal.actor import Actor
from ...journal.command import Command, nothing
from ...journal.decide.states import States
from ...journal.event import Draft, Event
from ...service import Service, check_limit, check_user_id, command, query, slow_query
from ..events import BoardOrder, Operator
from ..matches.listing import season_entries
from . import commands as submitting
from .board import (
    Board,
    BoardState,
    Entry,
    Season,
    board_of,
    board_stream,
    entries_around,
    entries_between,
    entry_of,
)
from .commands import Maker

__all__ = ["Boards"]

R = TypeVar("R")


class Boards(Service):
    """
    Leaderboards.

    Args:
        caller: whose commands these are.
    """

    __slots__ = ("_actor", "_by")

    def __init__(self, actor: Actor) -> None:
        super().__init__(actor.execute, actor.refused)
        self._actor = actor
        self._by = actor.user

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
        stream, chars_max = self._stream(name), self._actor.settings.name_chars_max
        maker = self._maker()

        def decide(states: States) -> Sequence[Draft]:
            return submitting.create_board(states, name, operator, order, reset, chars_max, maker)

        def result(states: States, events: Sequence[Event]) -> Board:
            return board_of(stream, states.of(BoardState, stream))

        return Command(self._by, decide, result, reads=(stream,))

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
        by, stream = self._by, self._stream(board)

        def decide(states: States) -> Sequence[Draft]:
            return submitting.submit(states, stream, by, score, metadata)

        def result(states: States, events: Sequence[Event]) -> Entry:
            return entry_of(stream, states.of(BoardState, stream), by)

        arguments = ("submit", board, score, metadata)
        reads = (stream, f"user/{by}")
        return Command(by, decide, result, reads=reads, key=key, arguments=arguments)

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
        check_limit(limit, self._actor.settings.page_max)
        show = partial(entries_between, after=after, before=before, limit=limit)
        return self._board_query(board, show)

    @query
    def rank(self, board: str, user_id: str | None = None) -> Command[Entry]:
        """
        Look up where a user stands, by default you.

        Raises:
            NotFound: there is no such board, or no entry on it.
        """
        user = self._user(user_id)
        return self._board_query(board, lambda stream, state: entry_of(stream, state, user))

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
        check_limit(limit, self._actor.settings.page_max)
        user = self._user(user_id)

        return self._board_query(board, partial(entries_around, user=user, limit=limit))

    @query
    def board(self, name: str) -> Command[Board]:
        """Look up a board's settings."""
        return self._board_query(name, board_of)

    @query
    def seasons(self, board: str) -> Command[list[Season]]:
        """List the seasons of a board that are over, the first first."""
        return self._board_query(board, lambda _, state: list(state.seasons))

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
        check_limit(limit, self._actor.settings.page_max)
        stream, state = await season_entries(self._actor, self._stream(board), number)
        return entries_between(stream, state, after=after, before=before, limit=limit)

    def _board_query(self, board: str, show: Callable[[str, BoardState], R]) -> Command[R]:
        stream = self._stream(board)

        def result(states: States, events: Sequence[Event]) -> R:
            state = states.of(BoardState, stream)
            if stream != submitting.MAIN:
                state.check_exists(stream)
            return show(stream, state)

        return Command(self._by, nothing, result, reads=(stream,))

    def _stream(self, board: object) -> str:
        # A name is looked up in the form in which it was made.
        chars_max = self._actor.settings.name_chars_max
        return board_stream(submitting.check_board_name(board, chars_max))

    def _user(self, user_id: object) -> str:
        return self._by if user_id is None else check_user_id(user_id)

    def _maker(self) -> Maker | None:
        actor, settings = self._actor, self._actor.settings
        if not actor.is_limited:
            return None
        return Maker(
            actor.user, settings.boards_made_max, settings.boards_max, settings.season_seconds_min
        )
