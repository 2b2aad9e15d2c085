from __future__ import annotations

import math
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from hubbub.errors import Conflict, Invalid, NotFound
from hubbub.games.boards import board as b
from hubbub.games.boards.board import BoardState
from hubbub.games.boards.cursor import cursor_of
from hubbub.games.boards.paging import rank_after
from hubbub.games.events import BoardCreated, BoardOrder, Operator, Submitted
from hubbub.games.scores import SCORE_MAX, check_score
from hubbub.journal.event import Event
from hubbub.journal.link import Linked
from tests.games.board_kit import NOON, STREAM, board_with, submitted, table


def at(seconds: int) -> Any:
    return NOON + timedelta(seconds=seconds)


# What counts


@pytest.mark.parametrize(
    ("operator", "order", "score"),
    [
        ("best", "desc", 30),
        ("best", "asc", 10),
        ("sum", "desc", 60),
        ("sum", "asc", 60),
        ("latest", "desc", 20),
        ("latest", "asc", 20),
    ],
)
def test_the_operator_says_what_counts(operator: Operator, order: BoardOrder, score: int) -> None:
    board = board_with(("ann", 10), ("ann", 30), ("ann", 20), operator=operator, order=order)

    assert board.score("ann") == score


def test_who_has_submitted_nothing_has_no_score() -> None:
    assert board_with().score("ann") is None


@pytest.mark.parametrize(
    ("operator", "order", "submitted_now", "counted"),
    [
        ("best", "desc", 11, 11),
        ("best", "desc", 10, None),
        ("best", "desc", 9, None),
        ("best", "asc", 9, 9),
        ("best", "asc", 10, None),
        ("best", "asc", 11, None),
        ("sum", "desc", -4, 6),
        ("latest", "desc", 10, 10),
    ],
)
def test_a_score_counts_or_does_not(
    operator: Operator, order: BoardOrder, submitted_now: int, counted: int | None
) -> None:
    board = board_with(("ann", 10), operator=operator, order=order)

    assert board.counts("ann", submitted_now) == counted
    assert board.counts("bob", submitted_now) == submitted_now


# Who stands where


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("desc", [(1, "bob", 30), (2, "eve", 20.5), (3, "ann", -10)]),
        ("asc", [(1, "ann", -10), (2, "eve", 20.5), (3, "bob", 30)]),
    ],
)
def test_the_order_says_who_is_first(order: BoardOrder, expected: list[Any]) -> None:
    board = board_with(("ann", -10), ("bob", 30), ("eve", 20.5), order=order)

    assert table(board) == expected


@pytest.mark.parametrize("order", ["desc", "asc"])
def test_equal_scores_rank_by_who_got_there_first(order: BoardOrder) -> None:
    board = board_with(("zoë", 10), ("ann", 10), ("bob", 10.0), order=order)

    assert [user for _, user, _ in table(board)] == ["zoë", "ann", "bob"]


def test_who_comes_back_to_a_score_got_there_last() -> None:
    board = board_with(("ann", 10), ("bob", 10), ("ann", 5), ("ann", 10), operator="latest")

    assert [user for _, user, _ in table(board)] == ["bob", "ann"]
    assert b.entry_of(STREAM, board, "ann").at == at(5)


@pytest.mark.parametrize(("operator", "again"), [("latest", 10), ("sum", 0), ("best", 10)])
def test_an_unchanged_score_keeps_its_place(operator: Operator, again: int) -> None:
    board = board_with(("ann", 10), ("bob", 10), ("ann", again), operator=operator)

    assert [user for _, user, _ in table(board)] == ["ann", "bob"]
    assert b.entry_of(STREAM, board, "ann").at == at(2)


def test_a_new_nickname_is_shown_and_the_place_kept() -> None:
    board = board_with(("ann", 10), ("bob", 10), operator="latest")

    submitted(board, 9, "ann", 10, "Ann")

    first = b.entries(STREAM, board, 0, 1)[0]
    assert (first.user_id, first.nickname, first.at) == ("ann", "Ann", at(2))


def test_a_nickname_that_is_given_up_is_the_id_again() -> None:
    board = board_with(operator="latest")
    submitted(board, 2, "ann", 10, "Ann")
    submitted(board, 3, "ann", 10)

    assert b.entry_of(STREAM, board, "ann").nickname == "ann"


def test_a_score_that_does_not_count_changes_nothing() -> None:
    board = board_with(("ann", 10))
    before = msgspec.json.encode(board.kept())

    submitted(board, 3, "ann", 9, "Ann")

    assert msgspec.json.encode(board.kept()) == before


def test_metadata_is_that_of_the_score_that_counts() -> None:
    board = board_with()
    for seq, score, metadata in [(2, 10, {"map": 1}), (3, 5, {"map": 2})]:
        data = Submitted("ann", score, None, metadata)
        board.apply(Event(STREAM, seq, NOON, "ann", None, data))

    assert b.entry_of(STREAM, board, "ann").metadata == {"map": 1}


def test_a_score_without_metadata_has_none() -> None:
    board = board_with()
    board.apply(Event(STREAM, 2, NOON, "ann", None, Submitted("ann", 1, None, {"map": 1})))
    board.apply(Event(STREAM, 3, NOON, "ann", None, Submitted("ann", 2)))

    assert b.entry_of(STREAM, board, "ann").metadata is None


def test_what_a_caller_does_to_an_entry_is_their_affair() -> None:
    board = board_with(("ann", 1))
    board.metadata["ann"] = {"laps": [1]}

    shown = b.entry_of(STREAM, board, "ann").metadata
    assert shown is not None
    shown["laps"].append(2)

    assert b.entry_of(STREAM, board, "ann").metadata == {"laps": [1]}


def test_an_entry_says_all_of_a_place() -> None:
    board = board_with(("bob", 7))
    submitted(board, 3, "ann", 4, "Ann")

    assert b.entry_of(STREAM, board, "ann") == b.Entry(
        "speed", "ann", "Ann", 4, 2, at(3), None, cursor_of(4, 3)
    )


def test_the_time_of_an_entry_is_exact() -> None:
    board, moment = board_with(), NOON + timedelta(microseconds=123_457)
    board.apply(Event(STREAM, 2, moment, "ann", None, Submitted("ann", 1)))

    assert b.entry_of(STREAM, board, "ann").at == moment


def test_who_has_no_entry_is_not_found() -> None:
    with pytest.raises(NotFound, match="'eve' has no entry"):
        b.entry_of(STREAM, board_with(("ann", 1)), "eve")


# Pages

FIVE = [("a", 5), ("b", 4), ("c", 3), ("d", 2), ("e", 1)]


def users_after(after: object, limit: int = 2) -> str:
    board = board_with(*FIVE)
    entries = b.entries(STREAM, board, rank_after(board, after), limit)
    return "".join(entry.user_id for entry in entries)


@pytest.mark.parametrize(
    ("after", "users"),
    [(None, "ab"), (0, "ab"), (1, "bc"), (4, "e"), (5, ""), (SCORE_MAX, "")],
)
def test_a_page_begins_after_a_rank(after: int | None, users: str) -> None:
    assert users_after(after) == users


@pytest.mark.parametrize(("after", "users"), [("a", "bc"), ("d", "e"), ("e", "")])
def test_a_page_begins_after_a_user(after: str, users: str) -> None:
    assert users_after(after) == users


@pytest.mark.parametrize("after", [-1, SCORE_MAX + 1, 1.0, True, b"a", ["a"]])
def test_a_page_begins_after_nothing_else(after: object) -> None:
    with pytest.raises(Invalid, match="must be a rank, a user's id, or the cursor"):
        users_after(after)


def test_a_page_after_a_user_who_is_not_there_any_more_is_not_found() -> None:
    with pytest.raises(NotFound, match="begin at the top"):
        users_after("z")


def test_entries_keep_the_ranks_that_they_have_on_the_board() -> None:
    assert [entry.rank for entry in b.entries(STREAM, board_with(*FIVE), 3, 5)] == [4, 5]


@pytest.mark.parametrize(
    ("user", "limit", "users"),
    [
        ("c", 3, "bcd"),
        ("c", 1, "c"),
        # Of an even number one more is before than behind.
        ("c", 2, "bc"),
        ("c", 4, "abcd"),
        ("a", 3, "abc"),
        ("b", 5, "abcde"),
        ("e", 3, "cde"),
        ("e", 4, "bcde"),
        ("c", 9, "abcde"),
    ],
)
def test_a_user_is_in_the_middle_of_those_around(user: str, limit: int, users: str) -> None:
    found = b.entries_around(STREAM, board_with(*FIVE), user=user, limit=limit)

    assert "".join(entry.user_id for entry in found) == users


def test_nobody_is_around_who_has_no_entry() -> None:
    with pytest.raises(NotFound, match="no entry"):
        b.entries_around(STREAM, board_with(*FIVE), user="z", limit=3)


# Scores


@pytest.mark.parametrize("score", [0, -0.0, 0.5, SCORE_MAX, -SCORE_MAX, float(SCORE_MAX)])
def test_a_score_is_a_number_that_json_can_hold(score: float) -> None:
    assert check_score(score) == score


@pytest.mark.parametrize(
    "score",
    [
        SCORE_MAX + 1,
        -SCORE_MAX - 1,
        float(SCORE_MAX) + 2,
        math.nan,
        math.inf,
        -math.inf,
        True,
        None,
        "10",
        1j,
        [1],
    ],
)
def test_a_score_is_nothing_else(score: object) -> None:
    with pytest.raises(Invalid, match=r"from -2\*\*53 to 2\*\*53"):
        check_score(score)


@pytest.mark.parametrize(("before", "more"), [(SCORE_MAX - 1, 1), (-SCORE_MAX + 1, -1), (5, 5)])
def test_a_sum_may_become_as_large_as_a_score(before: int, more: int) -> None:
    board = board_with(("ann", before), operator="sum")

    b.check_sum(board, "ann", more)


@pytest.mark.parametrize(("before", "more"), [(SCORE_MAX, 1), (-SCORE_MAX, -1), (SCORE_MAX, 2.0)])
def test_a_sum_does_not_become_larger(before: int, more: float) -> None:
    board = board_with(("ann", before), operator="sum")

    with pytest.raises(Conflict, match="too large to be exact"):
        b.check_sum(board, "ann", more)


@pytest.mark.parametrize("operator", ["best", "latest"])
def test_what_is_not_added_up_is_never_too_large(operator: Operator) -> None:
    b.check_sum(board_with(("ann", SCORE_MAX), operator=operator), "ann", SCORE_MAX)


# The board itself


def test_a_board_is_shown_with_its_settings() -> None:
    board = BoardState()
    board.apply(Event(STREAM, 1, NOON, "ann", None, BoardCreated("sum", "asc", "0 0 * * *")))
    submitted(board, 2, "ann", 5)

    shown = b.board_of(STREAM, board)
    assert shown == b.Board("speed", STREAM, "sum", "asc", "0 0 * * *", 1, 1, NOON)


def test_a_board_that_nobody_has_made_is_not_found() -> None:
    for ask in (BoardState().check_exists, lambda stream: b.board_of(stream, BoardState())):
        with pytest.raises(NotFound, match="no board 'speed'; create it"):
            ask(STREAM)


def test_everybody_may_follow_a_board_that_is_there() -> None:
    board_with().check_reader(STREAM, "anybody")

    with pytest.raises(NotFound):
        BoardState().check_reader(STREAM, "anybody")


def test_what_is_no_event_of_a_board_is_a_fault() -> None:
    with pytest.raises(AssertionError, match="not a board's event"):
        BoardState().apply(Event(STREAM, 1, NOON, "ann", None, Linked("room/1")))
