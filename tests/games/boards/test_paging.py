"""Pages of a board, also of one that moves while it is paged through."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubbub.errors import Invalid, NotFound
from hubbub.games.boards.board import BoardState, Entry, entries, entries_between
from hubbub.games.boards.paging import RANK_DIGITS_MAX, rank_after, rank_before
from hubbub.games.events import BoardOrder, Operator
from hubbub.games.scores import SCORE_MAX
from tests.games.board_kit import STREAM, board_with, submitted

FIVE = [("a", 5), ("b", 4), ("c", 3), ("d", 2), ("e", 1)]


def page(
    board: BoardState, *, after: Any = None, before: Any = None, limit: int = 2
) -> list[Entry]:
    return entries_between(STREAM, board, after=after, before=before, limit=limit)


def users(found: list[Entry]) -> str:
    return "".join(entry.user_id for entry in found)


def cursors(board: BoardState) -> dict[str, str]:
    return {entry.user_id: entry.cursor for entry in entries(STREAM, board, 0, 100)}


@pytest.mark.parametrize("order", ["desc", "asc"])
def test_a_page_begins_behind_a_cursor(order: BoardOrder) -> None:
    board = board_with(*FIVE, order=order)
    at = cursors(board)
    names = "abcde" if order == "desc" else "edcba"

    assert users(page(board, after=at[names[0]])) == names[1:3]
    assert users(page(board, after=at[names[3]])) == names[4:]
    assert page(board, after=at[names[4]]) == []


@pytest.mark.parametrize("order", ["desc", "asc"])
def test_a_page_ends_in_front_of_a_cursor(order: BoardOrder) -> None:
    board = board_with(*FIVE, order=order)
    at = cursors(board)
    names = "abcde" if order == "desc" else "edcba"

    assert users(page(board, before=at[names[4]])) == names[2:4]
    assert users(page(board, before=at[names[1]])) == names[0]
    assert page(board, before=at[names[0]]) == []


def test_a_page_ends_in_front_of_a_rank_or_a_user() -> None:
    board = board_with(*FIVE)

    for before in (4, "d"):
        assert users(page(board, before=before)) == "bc"
    assert page(board, before=0) == page(board, before=1) == []
    assert users(page(board, before=SCORE_MAX)) == "de"


def test_in_a_url_a_number_is_a_rank_unless_it_is_a_user() -> None:
    assert users(page(board_with(*FIVE), after="2")) == "cd"
    assert users(page(board_with(*FIVE), before="4")) == "bc"
    assert users(page(board_with(*FIVE, ("2", 4.5)), after="2")) == "bc"
    for text in ("9" * (RANK_DIGITS_MAX + 1), "\u0662", "-1", "1.5"):
        with pytest.raises(NotFound):
            page(board_with(*FIVE), after=text)


def test_between_two_places_are_the_first_of_them() -> None:
    board = board_with(*FIVE)
    at = cursors(board)

    assert users(page(board, after=at["a"], before=at["e"])) == "bc"
    assert users(page(board, after=at["a"], before=at["c"])) == "b"
    assert page(board, after=at["d"], before=at["b"]) == []


def test_a_cursor_stays_where_it_is_when_its_user_moves() -> None:
    board = board_with(*FIVE, operator="latest")
    at = cursors(board)
    submitted(board, 9, "b", 0)

    assert users(page(board, after=at["b"])) == "cd"
    assert users(page(board, before=at["b"])) == "a"


def test_equal_scores_are_told_apart_by_who_got_there_first() -> None:
    board = board_with(("a", 1), ("b", 1), ("c", 1.0))
    at = cursors(board)

    assert users(page(board, after=at["a"])) == "bc"
    assert users(page(board, before=at["c"])) == "ab"


@pytest.mark.parametrize(
    "place",
    [-1, SCORE_MAX + 1, pytest.param(10**5_000, id="many digits"), 1.5, True, b"a", ["a"], {}],
)
def test_a_place_is_nothing_else(place: object) -> None:
    board = board_with(*FIVE)

    for rank in (rank_after, rank_before):
        with pytest.raises(Invalid, match="must be a rank, a user's id, or the cursor"):
            rank(board, place)


def test_a_user_who_has_no_entry_is_no_place() -> None:
    for rank in (rank_after, rank_before):
        with pytest.raises(NotFound, match="begin at the top"):
            rank(board_with(*FIVE), "z" * 60_000)


# A board that moves

NAMES = [f"user {number}" for number in range(8)]
score = st.sampled_from([0, 0.1, 1, 1.0, 2, 3, -1, -0.0])
moves = st.lists(st.tuples(st.sampled_from(NAMES), score), max_size=5)


@given(
    st.lists(score, min_size=len(NAMES), max_size=len(NAMES)),
    st.lists(moves, max_size=12),
    st.integers(1, 4),
    st.sampled_from(["best", "sum", "latest"]),
    st.sampled_from(["desc", "asc"]),
    st.booleans(),
)
def test_whoever_does_not_move_is_on_one_page(
    first: list[float],
    moved: list[list[tuple[str, float]]],
    limit: int,
    operator: Operator,
    order: BoardOrder,
    upwards: bool,
) -> None:
    board = board_with(*zip(NAMES, first, strict=True), operator=operator, order=order)
    seq, before = 100, dict(cursors(board))
    seen, waiting = Counter[str](), list(moved)
    at: int | str = len(NAMES) + 1 if upwards else 0
    while found := page(board, limit=limit, **{"before" if upwards else "after": at}):
        seen.update(entry.user_id for entry in found)
        at = (found[0] if upwards else found[-1]).cursor
        for user, points in waiting.pop(0) if waiting else ():
            seq += 1
            submitted(board, seq, user, points)

    stayed = [user for user, cursor in cursors(board).items() if before[user] == cursor]
    assert all(seen[user] == 1 for user in stayed)
