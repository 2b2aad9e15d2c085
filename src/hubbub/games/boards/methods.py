"""The methods of boards; :class:`hubbub.games.service.Games` documents them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from typing import Any, TypeVar

from ...journal.actor import Actor
from ...journal.command import Command, nothing
from ...journal.decide.states import States
from ...journal.event import Draft, Event
from ...service import check_limit, check_user_id
from ...stream_names import user_stream
from ..events import BoardOrder, Operator
from . import commands as board_decisions
from .board import (
    Board,
    BoardState,
    Entry,
    Season,
    board_of,
    entries_around,
    entries_between,
    entry_of,
)
from .commands import Maker
from .past_seasons import season_entries
from .stream import board_stream

__all__ = ["BoardMethods", "maker_of", "submit_command"]

# Names of boards whose streams are remembered: most commands name the same few boards.
NAMES_MAX = 256

R = TypeVar("R")

Place = int | str | None


class BoardMethods:
    """
    The methods of a session that need no match.

    Args:
        actor: the user of the session.
    """

    __slots__ = ("_actor", "_by")

    def __init__(self, actor: Actor) -> None:
        self._actor = actor
        self._by = actor.user

    def create(
        self, name: str, operator: Operator, order: BoardOrder, reset: str | None
    ) -> Command[Board]:
        """Create a board."""
        stream, chars_max = self._stream(name), self._actor.settings.name_chars_max
        maker = maker_of(self._actor)

        def decide(states: States) -> Sequence[Draft]:
            return board_decisions.create_board(
                states, name, operator, order, reset, chars_max, maker
            )

        def result(states: States, events: Sequence[Event]) -> Board:
            return board_of(stream, states.of(BoardState, stream))

        return Command(self._by, decide, result, reads=(stream,))

    def submit(
        self, board: str, score: float, metadata: dict[str, Any] | None, key: str | None
    ) -> Command[Entry]:
        """Submit a score of the user."""
        arguments = ("submit", board, score, metadata)
        stream = self._stream(board)
        return submit_command(stream, self._by, score, metadata, key, arguments)

    def top(self, board: str, limit: int, after: Place, before: Place) -> Command[list[Entry]]:
        """List entries, the best first."""
        check_limit(limit, self._actor.settings.page_max)
        show = partial(entries_between, after=after, before=before, limit=limit)
        return self._query(board, show)

    def rank(self, board: str, user_id: str | None) -> Command[Entry]:
        """Return a user's entry."""
        user = self._user(user_id)
        return self._query(board, lambda stream, state: entry_of(stream, state, user))

    def around(self, board: str, user_id: str | None, limit: int) -> Command[list[Entry]]:
        """List the entries around a user's."""
        check_limit(limit, self._actor.settings.page_max)
        return self._query(board, partial(entries_around, user=self._user(user_id), limit=limit))

    def board(self, name: str) -> Command[Board]:
        """Return a board's settings."""
        return self._query(name, board_of)

    def seasons(self, board: str) -> Command[list[Season]]:
        """List past seasons."""
        return self._query(board, lambda _, state: list(state.seasons))

    async def season(
        self, board: str, number: int, limit: int, after: Place, before: Place
    ) -> list[Entry]:
        """List the entries of a past season."""
        check_limit(limit, self._actor.settings.page_max)
        stream, state = await season_entries(self._actor, self._stream(board), number)
        return entries_between(stream, state, after=after, before=before, limit=limit)

    def _query(self, board: str, show: Callable[[str, BoardState], R]) -> Command[R]:
        stream = self._stream(board)

        def result(states: States, events: Sequence[Event]) -> R:
            state = states.of(BoardState, stream)
            if stream != board_decisions.MAIN:
                state.check_exists(stream)
            return show(stream, state)

        return Command(self._by, nothing, result, reads=(stream,))

    def _stream(self, board: object) -> str:
        chars_max = self._actor.settings.name_chars_max
        if isinstance(board, str):
            return _stream_of(board, chars_max)
        # It is refused, and need not have a hash.
        return board_stream(board_decisions.check_board_name(board, chars_max))

    def _user(self, user_id: object) -> str:
        return self._by if user_id is None else check_user_id(user_id)


@lru_cache(NAMES_MAX)
def _stream_of(name: str, chars_max: int) -> str:
    # Look a name up in the normal form in which it was created.
    return board_stream(board_decisions.check_board_name(name, chars_max))


def submit_command(  # noqa: PLR0913
    stream: str,
    user: str,
    score: float,
    metadata: dict[str, Any] | None,
    key: str | None = None,
    arguments: object = None,
    *,
    by: str | None = None,
) -> Command[Entry]:
    """
    Make the command that submits a user's score to a board.

    Args:
        stream: the board's stream.
        user: the user who gets the score.
        score, metadata: see :meth:`hubbub.games.service.Games.submit`.
        key, arguments: an idempotency key, and the arguments that belong to it.
        by: the user who submits it; by default ``user``.
    """

    def decide(states: States) -> Sequence[Draft]:
        return board_decisions.submit(states, stream, user, score, metadata)

    def result(states: States, events: Sequence[Event]) -> Entry:
        return entry_of(stream, states.of(BoardState, stream), user)

    reads = (stream, user_stream(user))
    return Command(by or user, decide, result, reads=reads, key=key, arguments=arguments)


def maker_of(actor: Actor) -> Maker | None:
    """Return a user's limits on boards; None for the application, which has none."""
    if not actor.is_limited:
        return None
    settings = actor.settings
    return Maker(
        actor.user, settings.boards_made_max, settings.boards_max, settings.season_seconds_min
    )
