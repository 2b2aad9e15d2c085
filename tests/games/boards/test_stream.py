from __future__ import annotations

import pytest

from hubbub.errors import Invalid
from hubbub.games.boards.stream import board_stream, is_board, name_of


def test_a_board_is_named_by_its_stream_and_back() -> None:
    assert board_stream("chess") == "board/chess"
    assert name_of("board/chess") == "chess"


def test_a_boards_stream_is_told_from_others() -> None:
    assert is_board("board/chess")
    assert not is_board("match/1")


@pytest.mark.parametrize("name", [None, 5, b"speed"])
def test_a_board_is_called_by_a_string(name: object) -> None:
    with pytest.raises(Invalid, match="must be a string"):
        board_stream(name)
