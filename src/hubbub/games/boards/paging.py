"""The ends of a page of a board: by rank, by user, or by the cursor of an entry. Pure."""

from __future__ import annotations

from typing import Protocol

from ...errors import Invalid, NotFound
from ...shown import shown
from ..events import BoardOrder
from ..scores import SCORE_MAX
from .cursor import is_cursor, read_cursor
from .ranking import Ranking

__all__ = ["Ranked", "rank_after", "rank_before"]

# The longest rank as text, in digits.
RANK_DIGITS_MAX = 15


class Ranked(Protocol):
    """A sequence to page through: a board."""

    order: BoardOrder
    ranking: Ranking


def rank_after(board: Ranked, after: object) -> int:
    """
    Return the number of entries up to and including a place: the rank that a page begins after.

    Args:
        board: the board.
        after: None, a rank, an entry's cursor, or the id of a user on the board.

    Raises:
        Invalid: it is none of these.
        NotFound: the user has no entry.
    """
    if isinstance(after, str) and is_cursor(after):
        key, seq = _cursor_key(board, after)
        return board.ranking.count_before(key, seq + 1)
    return 0 if after is None else _rank(board, after)


def rank_before(board: Ranked, before: object) -> int:
    """Return the number of entries before a place; raises the same as :func:`rank_after`."""
    if isinstance(before, str) and is_cursor(before):
        return board.ranking.count_before(*_cursor_key(board, before))
    return min(max(0, _rank(board, before) - 1), len(board.ranking))


def _cursor_key(board: Ranked, text: str) -> tuple[int | float, int]:
    cursor = read_cursor(text)
    return (-cursor.score if board.order == "desc" else cursor.score), cursor.seq


def _rank(board: Ranked, place: object) -> int:
    if isinstance(place, str):
        if (found := board.ranking.get(place)) is not None:
            return board.ranking.rank(found)
        # In a URL a rank is text.
        if not (place.isascii() and place.isdecimal() and len(place) <= RANK_DIGITS_MAX):
            raise NotFound(f"{shown(place)} is no longer on this board; begin at the top.")
        place = int(place)
    if type(place) is not int or not 0 <= place <= SCORE_MAX:
        raise Invalid(
            "after and before must be a rank, a user's id, or the cursor of an entry, not "
            f"{shown(place)}."
        )
    return place
