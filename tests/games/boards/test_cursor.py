"""A cursor names a place, and nothing else is taken for one."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubbub.errors import Invalid
from hubbub.games.boards.cursor import CURSOR_CHARS_MAX, Cursor, cursor_of, is_cursor, read_cursor
from hubbub.games.scores import SCORE_MAX
from hubbub.service import SEQ_MAX

scores = st.integers(-SCORE_MAX, SCORE_MAX) | st.floats(-float(SCORE_MAX), float(SCORE_MAX))


@given(scores, st.integers(0, SEQ_MAX))
def test_a_cursor_is_read_as_it_was_made(score: float, seq: int) -> None:
    text = cursor_of(score, seq)

    assert read_cursor(text) == Cursor(score, seq)
    assert len(text) <= CURSOR_CHARS_MAX
    assert is_cursor(text)
    # So it is safe in a URL.
    assert text[1:].isascii()
    assert text[1:].isalnum()


def test_a_users_id_is_no_cursor() -> None:
    # It has no slash.
    assert not is_cursor("ann")


def written(text: str) -> str:
    return "/" + urlsafe_b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    "text",
    [
        "/",
        "/x",
        "/ä",
        "/\ud800",
        "/" + "A" * CURSOR_CHARS_MAX,
        written("[]"),
        written("[1]"),
        written('["1", 2]'),
        written("[1, 2, 3]"),
        written("[1, -1]"),
        written("[1e999, 1]"),
        written("[9007199254740993, 1]"),
        written("[1, 9007199254740992]"),
        written("[1, 1180591620717411303424]"),
        written("[1.5, null]"),
        written("[" * 50),
    ],
)
def test_what_is_no_cursor_is_refused(text: str) -> None:
    with pytest.raises(Invalid, match="not a cursor of a board"):
        read_cursor(text)


@given(st.text())
def test_any_text_is_a_cursor_or_refused(text: str) -> None:
    with suppress(Invalid):
        read_cursor(f"/{text}")
