from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from hubbub import Entry, FirstTo, Match
from hubbub.cli.match_lines import (
    end_line,
    match_event_line,
    match_title,
    place_line,
    question_in,
    score_line,
)
from hubbub.cli.names import Names
from hubbub.games import events as e
from hubbub.journal.event import Data, Event

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.fixture
def names() -> Names:
    known = Names(None)  # type: ignore[arg-type]
    known._known = {"a": "Ann", "b": "Bob"}
    return known


def match(**changes: Any) -> Match:
    values: dict[str, Any] = {
        "id": "1", "stream": "match/1", "players": ["a", "b"], "scores": {"a": 30, "b": 0},
        "status": "completed", "winner": "a", "rules": FirstTo(), "started_at": NOON,
        "ended_at": NOON, "board": "main", "referee": None, "private": False, "game": None,
        "gone": [], "reason": None,
    }  # fmt: skip
    return Match(**(values | changes))


def event(data: Data, by: str = "a") -> Event:
    return Event("match/1", 1, NOON, by, None, data)


@pytest.mark.parametrize(
    ("data", "shown"),
    [
        (e.Started(["a", "b"], FirstTo(), "main"), "* The match begins: Ann, Bob."),
        (e.Told({"question": 7, "text": "3 × 4"}), "  3 × 4 = ?"),
        (e.Told({"question": 7, "answer": 12, "by": "b"}), "* Bob knew: 12."),
        (e.Told({"question": 7, "answer": 12, "by": None}), "* Nobody knew: 12."),
        (e.Told({"move": "e4"}), '* {"move":"e4"}'),
        (e.Resigned(), "* Ann gives up."),
        (e.Dropped("b"), "* Bob is gone, and may come back for a little while."),
        (e.Returned("b"), "* Bob is here."),
        (e.Forfeited("b"), "* Bob was gone for too long."),
    ],
)
def test_what_happens_is_shown(names: Names, data: Data, shown: str) -> None:
    line = match_event_line(event(data), names)

    assert line is not None
    assert line.plain == shown


def test_points_are_shown_otherwise(names: Names) -> None:
    assert match_event_line(event(e.Scored("a", 10)), names) is None
    assert score_line({"a": 10, "b": 0}, names).plain == "  Ann 10   Bob 0"
    assert match_title(match(), names) == "Ann against Bob"


def test_a_text_that_a_game_tells_cannot_move_the_cursor(names: Names) -> None:
    line = match_event_line(event(e.Told({"question": 7, "text": "\x1b[2J"})), names)

    assert line is not None
    assert "\x1b" not in line.plain


@pytest.mark.parametrize(
    ("changes", "own", "shown"),
    [
        ({}, "a", "You have won!"),
        ({}, "b", "Ann has won."),
        ({"winner": None}, "a", "A draw."),
        ({"status": "cancelled", "reason": "rain"}, "a", "The match is cancelled: rain"),
    ],
)
def test_the_end_is_shown(names: Names, changes: dict[str, Any], own: str, shown: str) -> None:
    assert end_line(match(**changes), own, names).plain == shown


def test_a_question_has_a_number() -> None:
    assert question_in(event(e.Told({"question": 7, "text": "3 × 4"}))) == 7
    assert question_in(event(e.Told({"question": "7", "text": "3 × 4"}))) is None
    assert question_in(event(e.Told({"question": 7, "answer": 1, "by": None}))) is None
    assert question_in(event(e.Resigned())) is None


def test_a_place_is_shown() -> None:
    line = place_line(Entry("main", "a", "Ann", 20, 3, NOON), 1512.4)

    assert line.plain == "* On the board 'main' you are number 3 with 20; your rating is 1512."
