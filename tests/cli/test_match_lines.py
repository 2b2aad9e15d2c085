"""The output of a match."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from hubbub import BestOf, Entry, FirstTo, Match
from hubbub.cli.match_lines import (
    Question,
    answer_line,
    end_line,
    match_event_line,
    past_line,
    place_line,
    question_in,
    rating_line,
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
        (
            e.Started(["a", "b"], FirstTo(1_000), "main"),
            "* The match begins: Ann, Bob; the first to 1,000 wins.",
        ),
        (e.Started(["a", "c"], BestOf(3), "main"), "* The match begins: Ann, c."),
        (e.Told({"question": 7, "text": "3 × 4"}), "  3 × 4 = ?"),
        (e.Told({"question": 7, "answer": 12, "by": "b"}), "* Bob knew: 12."),
        (e.Told({"question": 7, "answer": 12, "by": None}), "* Nobody knew the answer: 12."),
        (e.Told({"move": "e4"}), '* {"move":"e4"}'),
        (e.Resigned(), "* Ann resigns."),
        (e.Dropped("b"), "* Bob has disconnected and can return for a short while."),
        (e.Returned("b"), "* Bob is connected."),
        (e.Forfeited("b"), "* Bob was away for too long and forfeits."),
    ],
)
def test_what_happens_is_shown(names: Names, data: Data, shown: str) -> None:
    line = match_event_line(event(data), names)

    assert line is not None
    assert line.plain == shown


@pytest.mark.parametrize(
    "data", [e.Scored("a", 10), e.Completed("a", {}), e.MatchCancelled("rain")]
)
def test_points_and_the_end_are_shown_otherwise(names: Names, data: Data) -> None:
    assert match_event_line(event(data), names) is None


def test_ones_own_points_have_a_colour(names: Names) -> None:
    line = score_line({"a": 1_000, "b": 0}, "a", names)

    assert line.plain == "  Ann 1,000   Bob 0"
    assert [line.plain[span.start : span.end] for span in line.spans if span.style == "green"] == [
        "Ann 1,000"
    ]


@pytest.mark.parametrize(
    "body",
    [
        {"question": 7, "text": "\x1b[2J"},
        {"question": 7, "answer": "\x1b[2J", "by": None},
        {"question": 7, "answer": "\x1b[2J", "by": "\x1b[2J"},
        {"move": "\x1b[2J"},
    ],
)
def test_what_a_game_tells_cannot_move_the_cursor(names: Names, body: dict[str, Any]) -> None:
    told = event(e.Told(body))
    line, question = match_event_line(told, names), question_in(told)

    assert line is not None
    assert "\x1b" not in line.plain
    assert question is None or "\x1b" not in question.text


@pytest.mark.parametrize(
    ("over", "shown"),
    [
        (False, "* The match is under way: Ann against Bob."),
        (True, "* The match is over: Ann against Bob."),
    ],
)
def test_who_comes_later_is_told_which_match_it_is(names: Names, *, over: bool, shown: str) -> None:
    assert past_line(match(), names, over=over).plain == shown


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


def test_a_question_has_a_number_and_a_text() -> None:
    assert question_in(event(e.Told({"question": 7, "text": "3 × 4"}))) == Question(7, "3 × 4")
    assert question_in(event(e.Told({"question": "7", "text": "3 × 4"}))) is None
    assert question_in(event(e.Told({"question": 7, "answer": 1, "by": None}))) is None
    assert question_in(event(e.Resigned())) is None


def test_an_answer_is_shown_with_its_question() -> None:
    assert answer_line(Question(7, "3 × 4"), -12).plain == "  3 × 4 = -12"


def test_a_place_and_a_rating_are_shown() -> None:
    place = place_line(Entry("main", "a", "Ann", 20, 3, NOON))

    assert place.plain == "* You are number 3 on the board 'main', with 20 points."
    assert rating_line(1512.4).plain == "* Your rating is now 1512."
