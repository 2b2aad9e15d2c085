"""
The place where a page of a board continues, named by what orders it. Pure.

A cursor names the score and the seq that order the places, and not a user. So it stays in place
while scores change: a user who does not move is always on the same side of it, and paging neither
repeats nor misses them.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode
from binascii import b2a_base64

import msgspec

from ...errors import Invalid
from ...service import SEQ_MAX
from ..scores import SCORE_MAX

__all__ = ["CURSOR_CHARS_MAX", "Cursor", "cursor_of", "is_cursor", "read_cursor"]

# The longest cursor, in characters: a score has at most 24, a seq 16.
CURSOR_CHARS_MAX = 80
# No user id has a slash, so a cursor is never mistaken for one; nor for a rank in a URL.
_MARK = "/"


class Cursor(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """
    A place on a board.

    Args:
        score: the score of the place.
        seq: the event that reached it.
    """

    score: int | float
    seq: int


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Cursor).decode


def cursor_of(score: float, seq: int) -> str:
    """Return the cursor of a place."""
    # As a Cursor is written. No character of a number has six bits that base64 writes as + or /.
    written = b2a_base64(_encode((score, seq)), newline=False)
    return _MARK + written.rstrip(b"=").decode()


def is_cursor(text: str) -> bool:
    """Return whether a text is a cursor, and not a user's id."""
    return text.startswith(_MARK)


def read_cursor(text: str) -> Cursor:
    """
    Parse a cursor.

    Raises:
        Invalid: the text is not a cursor.
    """
    try:
        if len(text) > CURSOR_CHARS_MAX:
            raise ValueError("too long")
        code = text.removeprefix(_MARK).encode("ascii")
        cursor = _decode(urlsafe_b64decode(code + b"=" * (-len(code) % 4)))
    except ValueError as error:
        raise _no_cursor() from error
    if not -SCORE_MAX <= cursor.score <= SCORE_MAX or not 0 <= cursor.seq <= SEQ_MAX:
        raise _no_cursor()
    return cursor


def _no_cursor() -> Invalid:
    return Invalid("This is not a cursor of a board; use the cursor of an entry unchanged.")
