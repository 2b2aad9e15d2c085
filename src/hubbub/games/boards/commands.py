"""The decisions about boards and their seasons. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from ...errors import Conflict, Invalid
from ...journal.decide.states import States
from ...journal.event import Draft
from ...journal.link import Linked, Links
from ...journal.schedule import schedule_entry, scheduled, unscheduled
from ...json_values import check_object
from ...stream_names import user_stream
from ...text import check_name
from .. import events as e
from ..scores import check_score
from .board import BoardState, check_sum
from .seasons import check_schedule, last_reset, next_reset
from .stream import board_stream

__all__ = [
    "BOARD_INDEX",
    "BOARD_SCHEDULE",
    "MAIN",
    "Maker",
    "check_board_name",
    "create_board",
    "look_at_board",
    "made_by",
    "submit",
    "win",
]

BOARD_SCHEDULE = "agenda/boards"
# The board that exists without being created.
MAIN = board_stream("main")
# Links the boards that were created over a network, so that they can be counted.
BOARD_INDEX = "index/boards"
# The metadata submitted with a score, in bytes of JSON.
METADATA_BYTES_MAX = 4_096


class Maker(msgspec.Struct, frozen=True):
    """
    A user who creates boards over a network, and their limits.

    Args:
        user: the user's id.
        boards_max: the number of boards that the user can create.
        all_max: the number of boards that all such users can create.
        season_seconds_min: the shortest season, in seconds.
    """

    user: str
    boards_max: int
    all_max: int
    season_seconds_min: float


def create_board(  # noqa: PLR0913
    states: States,
    name: object,
    operator: object,
    order: object,
    reset: object,
    chars_max: int,
    maker: Maker | None = None,
) -> list[Draft]:
    """
    Create a board; if the same board exists, nothing happens.

    Args:
        states: the states to decide on.
        name, operator, order, reset: see :meth:`hubbub.games.service.Games.create_board`.
        chars_max: the longest name.
        maker: the user who creates it over a network; None for the application, without limits.
    """
    checked = check_board_name(name, chars_max)
    if operator not in ("best", "sum", "latest") or order not in ("desc", "asc"):
        raise Invalid("operator must be best, sum or latest, and order must be desc or asc.")
    stream, due = board_stream(checked), next_reset(reset, states.now)
    if maker is not None:
        check_schedule(reset, states.now, maker.season_seconds_min)
    board = states.of(BoardState, stream)
    if board.created_at is None:
        made = Draft(stream, e.BoardCreated(operator, order, reset))  # type: ignore[arg-type]
        planned = [scheduled(BOARD_SCHEDULE, stream, due)] if due else []
        return [made, *planned, *made_by(states, stream, maker)]
    if (board.operator, board.order, board.reset) != (operator, order, reset):
        raise Conflict(f"There is another board {checked!r}; choose another name.")
    return []


def made_by(states: States, stream: str, maker: Maker | None) -> list[Draft]:
    """
    Count a board as created by a user, if it does not exist yet.

    Raises:
        Conflict: the user, or all users together, have reached their limit.
    """
    if maker is None or stream == MAIN or states.of(BoardState, stream).created_at is not None:
        return []
    holders = (user_stream(maker.user), BOARD_INDEX)
    own, index = (states.of(Links, holder) for holder in holders)
    if stream in index.links:
        return []
    if own.count("board") >= maker.boards_max:
        raise Conflict(f"You have created {maker.boards_max} boards, which is the most; use one.")
    if len(index.links) >= maker.all_max:
        raise Conflict(f"There are {maker.all_max} boards, which is the most; use one of them.")
    return [Draft(holder, Linked(stream)) for holder in holders]


def submit(states: States, stream: str, user: str, score: object, metadata: object) -> list[Draft]:
    """Submit a user's score."""
    board = states.of(BoardState, stream)
    if stream != MAIN:
        board.check_exists(stream)
    new, shown_with = check_score(score), None
    if metadata is not None:
        shown_with = check_object(metadata, METADATA_BYTES_MAX, "metadata")
    return _count(states, stream, board, user, new, shown_with)


def win(states: States, stream: str, winner: str, points: int) -> list[Draft]:
    """Give a match's points to its winner; a board that does not exist is created."""
    board = states.of(BoardState, stream)
    try:
        return _count(states, stream, board, winner, points, None)
    except Conflict:
        # The match must end, even if its winner has as much as a board can hold.
        return []


def look_at_board(states: States, stream: str) -> list[Draft]:
    """End a board's season if it is due."""
    board = states.of(BoardState, stream)
    if board.ranking:
        return _reset(states, stream, board) or _plan(states, stream, board, board.season_began())
    known, due = schedule_entry(states, BOARD_SCHEDULE, stream)
    if not known or (board.reset is not None and due and states.now < due):
        return []
    # Schedule nothing before the first score, so that an idle board costs nothing.
    return [unscheduled(BOARD_SCHEDULE, stream)]


def _count(  # noqa: PLR0913
    states: States,
    stream: str,
    board: BoardState,
    user: str,
    score: float,
    metadata: dict[str, Any] | None,
) -> list[Draft]:
    before: list[Draft] = []
    if board.created_at is None:
        before.append(Draft(stream, e.BoardCreated("sum", "desc")))
    elif board.reset is not None and (ended := _reset(states, stream, board)):
        board, before = BoardState(board.operator, board.order), ended
    check_sum(board, user, score)
    if board.counts(user, score) is None:
        return before
    if board.first_at is None and not before and not board.ranking:
        before = _plan(states, stream, board, states.now)
    nickname = states.of(Links, user_stream(user)).nickname
    shown_as = None if nickname == user else nickname
    return [*before, Draft(stream, e.Submitted(user, score, shown_as, metadata))]


def _plan(states: States, stream: str, board: BoardState, began: datetime | None) -> list[Draft]:
    """Schedule the end of a season whose first score came at a time, if it is not scheduled."""
    known, planned = schedule_entry(states, BOARD_SCHEDULE, stream)
    if board.reset is None or began is None:
        return [unscheduled(BOARD_SCHEDULE, stream)] if known else []
    due = next_reset(board.reset, began)
    return [] if planned == due else [scheduled(BOARD_SCHEDULE, stream, due)]


def _reset(states: States, stream: str, board: BoardState) -> list[Draft]:
    # A season without a score has nothing to end: it lasts until it has one.
    if board.reset is None or not board.ranking or (began := board.season_began()) is None:
        return []
    ends = next_reset(board.reset, began)
    assert ends is not None
    if states.now < ends:
        return []
    # Seasons that passed while the hub was down count as one.
    number = board.seasons[-1].number + 1 if board.seasons else 1
    due, ended_at = next_reset(board.reset, states.now), last_reset(board.reset, states.now)
    return [Draft(stream, e.Reset(number, ended_at)), scheduled(BOARD_SCHEDULE, stream, due)]


def check_board_name(name: object, chars_max: int) -> str:
    """
    Return a board's name in normal form.

    Raises:
        Invalid: it is empty, too long, or has a slash.
    """
    checked = check_name(name, chars_max)
    if "/" in checked:
        raise Invalid("A board's name cannot have a slash; leave it out.")
    return checked
