"""Seasons of a board, and what a snapshot keeps of it."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import msgspec
import pytest

from hubbub.games.boards import board as b
from hubbub.games.boards.board import SEASONS_MAX, BoardState, Season
from hubbub.games.boards.board_parts import PART_PLACES
from hubbub.games.events import BoardOrder, Reset, Submitted
from hubbub.games.scores import SCORE_MAX
from hubbub.journal.event import EncodedState, Event, encode_event
from tests.games.board_kit import NOON, REGISTRY, STREAM, board_with, submitted, table

MINUTE = timedelta(minutes=1)


def reset(board: BoardState, seq: int, number: int) -> None:
    """End a season a minute after noon for each season."""
    data = Reset(number, NOON + number * MINUTE)
    board.apply(Event(STREAM, seq, NOON + number * MINUTE, "/hub", None, data))


# Seasons


def test_a_new_season_begins_empty() -> None:
    board = board_with(("ann", 10), ("bob", 20))
    board.metadata["ann"] = {"map": 1}

    reset(board, 4, 1)

    assert len(board.ranking) == 0
    assert board.metadata == {}
    assert b.board_of(STREAM, board).season == 2


def test_a_season_that_is_over_says_where_its_events_are() -> None:
    board = board_with(("ann", 10), ("ann", 11), ("bob", 20))
    reset(board, 5, 1)
    submitted(board, 6, "eve", 1)
    reset(board, 7, 2)

    assert board.seasons == [
        Season(1, 1, 4, 2, NOON, NOON + MINUTE),
        Season(2, 5, 6, 1, NOON + MINUTE, NOON + 2 * MINUTE),
    ]


def test_the_newest_seasons_are_kept() -> None:
    board = board_with()
    for number in range(1, SEASONS_MAX + 1):
        reset(board, number + 1, number)
    assert [board.seasons[0].number, len(board.seasons)] == [1, SEASONS_MAX]

    reset(board, SEASONS_MAX + 2, SEASONS_MAX + 1)

    assert [board.seasons[0].number, len(board.seasons)] == [2, SEASONS_MAX]
    assert b.board_of(STREAM, board).season == SEASONS_MAX + 2


def test_a_season_can_be_folded_again_from_its_events() -> None:
    board = board_with(("ann", 10), ("bob", 20))
    reset(board, 4, 1)

    again = BoardState(board.operator, board.order, None, NOON)
    for seq, (user, score) in enumerate([("ann", 10), ("bob", 20)], board.seasons[0].after + 1):
        submitted(again, seq, user, score)

    assert table(again) == [(1, "bob", 20), (2, "ann", 10)]


# Snapshots


@pytest.mark.parametrize("order", ["desc", "asc"])
def test_a_snapshot_holds_the_whole_board(order: BoardOrder) -> None:
    board = board_with(("zoë", 1), ("ann", 0.5), order=order, operator="latest")
    reset(board, 4, 1)
    for seq, (user, score) in enumerate([("ann", 7), ("bob", 7), ("eve", 7.5), ("ann", 7)], 5):
        submitted(board, seq, user, score, user.title())
    board.metadata["bob"] = {"map": [1, "ü"]}

    restored = REGISTRY.decode_state(STREAM, REGISTRY.encode_state(board))

    assert isinstance(restored, BoardState)
    assert restored == board
    assert table(restored) == table(board)
    assert b.entries(STREAM, restored, 0, 9) == b.entries(STREAM, board, 0, 9)
    assert type(restored.score("eve")) is float
    assert type(restored.score("ann")) is int


@pytest.mark.parametrize("size", [PART_PLACES, PART_PLACES + 1])
def test_a_snapshot_of_a_large_board_has_parts(size: int) -> None:
    board = board_with()
    for number in range(size):
        submitted(board, number + 2, f"user {number}", number % 100)

    encoded = REGISTRY.encode_state(board)
    restored = REGISTRY.decode_state(STREAM, encoded)

    assert len(encoded.parts) == (size + PART_PLACES - 1) // PART_PLACES
    assert restored == board
    assert isinstance(restored, BoardState)
    assert list(restored.ranking) == list(board.ranking)


def test_what_is_submitted_survives_its_encoding() -> None:
    for score in (SCORE_MAX, -SCORE_MAX, 0.1, 1e-300, 2.0):
        event = Event(STREAM, 2, NOON, "ann", None, Submitted("ann", score, "Ann", {"a": []}))

        assert REGISTRY.decode(encode_event(event)) == event


def test_a_sum_that_a_double_cannot_show_survives_a_snapshot() -> None:
    board = board_with(("ann", SCORE_MAX - 1), ("ann", 0.1), operator="sum")
    for number in range(9):
        board = restored(REGISTRY.encode_state(board))
        submitted(board, 9 + number, "ann", 0.1)

    assert board.score("ann") == SCORE_MAX
    assert type(board.total("ann")) is Decimal
    assert board.total("ann") == SCORE_MAX


def test_a_snapshot_of_before_is_read() -> None:
    kept = {
        "operator": "sum",
        "order": "desc",
        "reset": "0 0 * * *",
        "created_at": NOON,
        "season_at": NOON,
        "season_after": 1,
        "seasons": [],
        "metadata": {"ann": {"map": 1}},
    }
    # Of minus nothing the score was nothing.
    places = [[-0.5, 2, 0, "ann", None], [0.0, 3, 0, "bob"]]
    board = restored(EncodedState(msgspec.json.encode(kept), [msgspec.json.encode(places)]))
    submitted(board, 4, "ann", 0.1)

    assert table(board) == [(1, "ann", 0.6), (2, "bob", 0)]
    assert str(board.score("bob")) == "0.0"
    assert board.season_began() == NOON


def restored(encoded: EncodedState) -> BoardState:
    state = REGISTRY.decode_state(STREAM, encoded)
    assert isinstance(state, BoardState)
    return state
