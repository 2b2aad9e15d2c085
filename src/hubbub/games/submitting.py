"""What is decided on a board, and when its seasons end. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

import msgspec
from cronsim import CronSim, CronSimError

from ..errors import Conflict, Invalid
from ..journal.agenda import Agenda, Planned, Settled
from ..journal.event import Draft
from ..journal.link import Links
from ..journal.states import States
from ..text import check_name
from . import events as e
from .board import BoardState, check_score, check_sum

__all__ = [
    "AGENDA",
    "MAIN",
    "check_board_name",
    "check_object",
    "create",
    "look",
    "next_reset",
    "submit",
    "win",
]

AGENDA = "agenda/boards"
# The board that needs not be made.
MAIN = "board/main"
METADATA_BYTES_MAX = 4_096
RESET_CHARS_MAX = 200
# What is nested deeper than a decoder's stack could be written, but never read again.
LEVELS_MAX = 32


def create(  # noqa: PLR0913
    states: States, name: object, operator: object, order: object, reset: object, chars_max: int
) -> list[Draft]:
    """Make a board; if there is one like it, nothing happens."""
    checked = check_board_name(name, chars_max)
    if operator not in ("best", "sum", "latest") or order not in ("desc", "asc"):
        raise Invalid("An operator is best, sum or latest, and an order is desc or asc.")
    stream, due = f"board/{checked}", next_reset(reset, states.now)
    board = states.of(BoardState, stream)
    if board.created_at is None:
        made = Draft(stream, e.BoardCreated(operator, order, reset))  # type: ignore[arg-type]
        return [made, *([Draft(AGENDA, Planned(stream, due))] if due else [])]
    if (board.operator, board.order, board.reset) != (operator, order, reset):
        raise Conflict(f"There is another board {name!r}: take another name.")
    return []


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


def look(states: States, stream: str) -> list[Draft]:
    """End a board's season if its time has come."""
    board = states.of(BoardState, stream)
    if board.reset is None:
        planned = stream in states.of(Agenda, AGENDA).due
        return [Draft(AGENDA, Settled(stream))] if planned else []
    return _reset(states, stream, board)


def next_reset(schedule: object, after: datetime) -> datetime | None:
    """
    Return when a schedule next comes true.

    Args:
        schedule: five fields as in a crontab, in UTC, like ``0 0 * * MON``; or None.
        after: UTC.

    Raises:
        Invalid: it is no schedule, or never comes true.
    """
    if schedule is None:
        return None
    if not isinstance(schedule, str) or len(schedule.split()) != 5:
        raise Invalid(f"A reset is a cron schedule like '0 0 * * MON', not {schedule!r}.")
    if len(schedule) > RESET_CHARS_MAX:
        raise Invalid(f"A reset is a cron schedule of up to {RESET_CHARS_MAX} characters.")
    return _next_reset(schedule, after)


# Asked for each score, and the same until the season ends.
@lru_cache(maxsize=1_024)
def _next_reset(schedule: str, after: datetime) -> datetime:
    try:
        return next(CronSim(schedule, after))
    except (CronSimError, StopIteration) as error:
        raise Invalid(f"The reset {schedule!r} is no cron schedule that comes true.") from error


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
    nickname = states.of(Links, f"user/{user}").nickname
    shown = None if nickname == user else nickname
    return [*before, Draft(stream, e.Submitted(user, score, shown, metadata))]


def _reset(states: States, stream: str, board: BoardState) -> list[Draft]:
    if board.reset is None or board.season_at is None:
        return []
    ends = next_reset(board.reset, board.season_at)
    assert ends is not None
    if states.now < ends:
        return []
    # Seasons in which the hub was down are one.
    number = board.seasons[-1].number + 1 if board.seasons else 1
    due = next_reset(board.reset, states.now)
    # Backwards from a moment later: the schedule may come true just now.
    ended_at = next(CronSim(board.reset, states.now + timedelta(microseconds=1), reverse=True))
    return [Draft(stream, e.Reset(number, ended_at)), Draft(AGENDA, Planned(stream, due))]


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


def check_object(body: object, bytes_max: int, what: str) -> dict[str, Any]:
    """
    Return an object as it is when it was written as JSON and read again.

    Raises:
        Invalid: it is none, is larger than so many bytes, or nested more than 32 deep.
    """
    if not isinstance(body, dict) or not all(isinstance(name, str) for name in body):
        raise Invalid(f"The {what} is an object with names and values, not {body!r}.")
    try:
        written = msgspec.json.encode(body)
        read = msgspec.json.decode(written, type=dict[str, Any])
    except (TypeError, ValueError, RecursionError) as error:
        raise Invalid(f"This {what} cannot be written as JSON: {error}.") from error
    if len(written) > bytes_max:
        raise Invalid(f"The {what} has up to {bytes_max:,} bytes as JSON, not {len(written):,}.")
    if _is_deeper(read, LEVELS_MAX):
        raise Invalid(f"The {what} is nested up to {LEVELS_MAX} deep; make it flatter.")
    return read


def _is_deeper(value: object, levels: int) -> bool:
    if not isinstance(value, dict | list):
        return False
    inside = value.values() if isinstance(value, dict) else value
    return not levels or any(_is_deeper(one, levels - 1) for one in inside)
