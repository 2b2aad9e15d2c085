"""What is decided on a board, and when its seasons end. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from ...errors import Conflict, Invalid
from ...journal.decide.states import States
from ...journal.event import Draft
from ...journal.link import Linked, Links
from ...journal.schedule import Schedule, Scheduled, Unscheduled
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
# The board that needs not be made.
MAIN = board_stream("main")
# Answers for the boards that were made over a network, so that they can be counted.
BOARD_INDEX = "index/boards"
# What is submitted with a score, in bytes of JSON.
METADATA_BYTES_MAX = 4_096


class Maker(msgspec.Struct, frozen=True):
    """
    Somebody who makes boards over a network, and what they may make.

    Args:
        user: their id.
        boards_max: how many boards they may have made.
        all_max: how many boards all such users may have made.
        season_seconds_min: how short a season may be, in seconds.
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
    Make a board; if there is one like it, nothing happens.

    Args:
        states: what is.
        name, operator, order, reset: see :meth:`hubbub.games.service.Games.create_board`.
        chars_max: the longest name.
        maker: the user who makes it over a network; None for the application, which has no limits.
    """
    checked = check_board_name(name, chars_max)
    if operator not in ("best", "sum", "latest") or order not in ("desc", "asc"):
        raise Invalid("An operator is best, sum or latest, and an order is desc or asc.")
    stream, due = board_stream(checked), next_reset(reset, states.now)
    if maker is not None:
        check_schedule(reset, states.now, maker.season_seconds_min)
    board = states.of(BoardState, stream)
    if board.created_at is None:
        made = Draft(stream, e.BoardCreated(operator, order, reset))  # type: ignore[arg-type]
        scheduled = [Draft(BOARD_SCHEDULE, Scheduled(stream, due))] if due else []
        return [made, *scheduled, *made_by(states, stream, maker)]
    if (board.operator, board.order, board.reset) != (operator, order, reset):
        raise Conflict(f"There is another board {checked!r}: take another name.")
    return []


def made_by(states: States, stream: str, maker: Maker | None) -> list[Draft]:
    """
    Count a board as made by somebody, if it is not there yet.

    Raises:
        Conflict: they, or all users, have made as many as they may.
    """
    if maker is None or stream == MAIN or states.of(BoardState, stream).created_at is not None:
        return []
    holders = (user_stream(maker.user), BOARD_INDEX)
    own, index = (states.of(Links, holder) for holder in holders)
    if stream in index.links:
        return []
    if own.count("board") >= maker.boards_max:
        raise Conflict(f"You have made {maker.boards_max} boards; use one of them.")
    if len(index.links) >= maker.all_max:
        raise Conflict(f"There are {maker.all_max} boards; use one of them.")
    return [Draft(holder, Linked(stream)) for holder in holders]


def submit(states: States, stream: str, user: str, score: object, metadata: object) -> list[Draft]:
    """Let a user's score count."""
    if stream != MAIN:
        states.of(BoardState, stream).check_exists(stream)
    new, shown_with = check_score(score), None
    if metadata is not None:
        shown_with = check_object(metadata, METADATA_BYTES_MAX, "metadata")
    return _count(states, stream, user, new, shown_with)


def win(states: States, stream: str, winner: str, points: int) -> list[Draft]:
    """Let what a match gives to its winner count; a board that nobody has made is made."""
    try:
        return _count(states, stream, winner, points, None)
    except Conflict:
        # A match ends, also if its winner has as much as a board can hold.
        return []


def look_at_board(states: States, stream: str) -> list[Draft]:
    """End a board's season if its time has come."""
    board, schedule = states.of(BoardState, stream), states.of(Schedule, BOARD_SCHEDULE).due
    if board.ranking:
        return _reset(states, stream, board) or _plan(states, stream, board, board.season_began())
    due = schedule.get(stream)
    if stream not in schedule or (board.reset is not None and due and states.now < due):
        return []
    # Nothing is over, and nothing is planned until there is: an idle board costs nothing.
    return [Draft(BOARD_SCHEDULE, Unscheduled(stream))]


def _count(
    states: States,
    stream: str,
    user: str,
    score: float,
    metadata: dict[str, Any] | None,
) -> list[Draft]:
    board, before = states.of(BoardState, stream), list[Draft]()
    if board.created_at is None:
        before.append(Draft(stream, e.BoardCreated("sum", "desc")))
    elif ended := _reset(states, stream, board):
        board, before = BoardState(board.operator, board.order), ended
    check_sum(board, user, score)
    if board.counts(user, score) is None:
        return before
    if not before and not board.ranking:
        before = _plan(states, stream, board, states.now)
    nickname = states.of(Links, user_stream(user)).nickname
    shown_as = None if nickname == user else nickname
    return [*before, Draft(stream, e.Submitted(user, score, shown_as, metadata))]


def _plan(states: States, stream: str, board: BoardState, began: datetime | None) -> list[Draft]:
    """Plan the end of a season whose first score came at some time, if it is not planned."""
    if board.reset is None or began is None:
        unscheduled = stream not in states.of(Schedule, BOARD_SCHEDULE).due
        return [] if unscheduled else [Draft(BOARD_SCHEDULE, Unscheduled(stream))]
    due = next_reset(board.reset, began)
    scheduled = states.of(Schedule, BOARD_SCHEDULE).due.get(stream) == due
    return [] if scheduled else [Draft(BOARD_SCHEDULE, Scheduled(stream, due))]


def _reset(states: States, stream: str, board: BoardState) -> list[Draft]:
    began = board.season_began()
    # A season without a score has nothing that could be over: it goes on until it has one.
    if board.reset is None or began is None or not board.ranking:
        return []
    ends = next_reset(board.reset, began)
    assert ends is not None
    if states.now < ends:
        return []
    # Seasons in which the hub was down are one.
    number = board.seasons[-1].number + 1 if board.seasons else 1
    due, ended_at = next_reset(board.reset, states.now), last_reset(board.reset, states.now)
    return [Draft(stream, e.Reset(number, ended_at)), Draft(BOARD_SCHEDULE, Scheduled(stream, due))]


def check_board_name(name: object, chars_max: int) -> str:
    """
    Return a board's name in normal form.

    Raises:
        Invalid: it is empty, too long, or has a slash.
    """
    checked = check_name(name, chars_max)
    if "/" in checked:
        raise Invalid("A board's name has no slash.")
    return checked
