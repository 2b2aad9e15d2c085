"""Reads past seasons of a board."""

from __future__ import annotations

from collections.abc import Sequence

from ...errors import NotFound
from ...journal.actor import Actor
from ...journal.command import Command, nothing
from ...journal.decide.states import States
from ...journal.event import Event
from ...shown import shown
from .board import BoardState, Season

__all__ = ["season_entries"]

# Events that are read and folded at once.
PAGE = 500


async def season_entries(actor: Actor, stream: str, number: int) -> tuple[str, BoardState]:
    """
    Fold a past season again from its events.

    Raises:
        NotFound: the season does not exist, or has not ended.
    """

    def result(states: States, events: Sequence[Event]) -> tuple[BoardState, Season]:
        board = states.of(BoardState, stream)
        board.check_exists(stream)
        for season in board.seasons:
            if season.number == number:
                empty = BoardState(board.operator, board.order, None, board.created_at)
                return empty, season
        raise NotFound(f"This board has no past season {shown(number)}; see games.seasons.")

    state, season = await actor.execute(Command(actor.user, nothing, result, reads=(stream,)))
    after = season.after
    while after < season.until:
        after = await actor.query(_fold, actor, stream, state, after, season.until)
    return stream, state


def _fold(actor: Actor, stream: str, state: BoardState, after: int, until: int) -> int:
    journal = actor.journal
    last = min(until, after + PAGE)
    for body in journal.store.read(stream, after, last - after):
        state.apply(journal.streams.decode(body))
    return last
