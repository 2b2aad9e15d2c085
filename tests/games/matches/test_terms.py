from __future__ import annotations

import msgspec
import pytest

from hubbub import Game
from tests.games.match_kit import TERMS

GAMES = {"usual": Game(), "own": Game(win_points=3), "tea": Game(win_points=0, rated=False)}


@pytest.mark.parametrize(
    ("game", "points", "rated"),
    [
        (None, 10, 5),
        ("usual", 10, 5),
        ("own", 3, 5),
        ("tea", 0, 0),
        # The hub was opened again without it.
        ("gone", 10, 5),
    ],
)
def test_what_a_game_does_not_say_is_as_for_all(game: str | None, points: int, rated: int) -> None:
    terms = msgspec.structs.replace(TERMS, games=GAMES)

    assert (terms.win_points_of(game), terms.rated_max_of(game)) == (points, rated)
