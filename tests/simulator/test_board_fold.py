"""The fold of a leaderboard, and what it finds wrong."""

from __future__ import annotations

from typing import Any

import pytest

from hubbub.games.boards.cursor import cursor_of
from hubbub.simulator.board_fold import BoardFold, BoardRules, fold_board


def fold(rules: BoardRules, *scores: float, minutes: int = 1) -> BoardFold:
    """Fold scores of ann, some minutes apart; 0 ends a season."""
    events: list[dict[str, Any]] = []
    for seq, score in enumerate(scores, 1):
        at = f"2026-01-01T00:{(seq - 1) * minutes:02}:00+00:00"
        type_ = "submitted" if score else "reset"
        events.append({"seq": seq, "type": type_, "at": at, "user": "ann", "score": score})
    return fold_board(rules, events)


TOTAL = BoardRules("total", "sum", "desc")
BEST = BoardRules("best", "best", "desc")
LEAST = BoardRules("least", "best", "asc")
NEWEST = BoardRules("newest", "latest", "desc")
SEASONS = BoardRules("seasons", "sum", "desc", "*/15 * * * *", 900.0)


@pytest.mark.parametrize(
    ("rules", "scores", "score"),
    [
        (TOTAL, (0.1, 0.2), 0.3),
        (BEST, (1.0, 2.0), 2.0),
        (LEAST, (2.0, 1.0), 1.0),
        (NEWEST, (2.0, 1.0), 1.0),
        (SEASONS, (2.0, 0, 1.0), 1.0),
    ],
)
def test_the_operator_says_which_score_counts(
    rules: BoardRules, scores: tuple[float, ...], score: float
) -> None:
    folded = fold(rules, *scores)

    assert not folded.broken
    assert not folded.contradicted("ann", score, cursor_of(score, len(scores)))
    assert folded.contradicted("ann", score + 1, cursor_of(score, len(scores)))
    assert folded.contradicted("bob", score, cursor_of(score, len(scores)))


def test_a_score_that_is_there_twice_is_named() -> None:
    assert "twice" in fold(TOTAL, 1.5, 1.5).broken[0]


def test_a_score_that_is_not_better_leaves_no_event() -> None:
    assert "after 2.0" in fold(BEST, 2.0, 1.0).broken[0]


def test_a_score_is_lost_unless_a_better_score_hides_it() -> None:
    assert not fold(TOTAL, 2.0).has("ann", 1.0)
    assert fold(BEST, 2.0).has("ann", 1.0)
    assert not fold(BEST, 2.0).has("ann", 3.0)
    assert not fold(LEAST, 2.0).has("bob", 1.0)


def test_a_score_after_the_end_of_its_season_is_named() -> None:
    assert not fold(SEASONS, 1.0, 2.0, minutes=14).broken
    assert "after its season" in fold(SEASONS, 1.0, 2.0, minutes=15).broken[0]
