from __future__ import annotations

from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubbub.demo.questions import LEAD_SECONDS, LEAD_TENS_MAX, THINKING_SECONDS, plan_answer

LEAST, MOST, _ = THINKING_SECONDS


def plans(text: str, *, lead: int = 0, count: int = 500) -> list[tuple[float, int]]:
    """Plan the answer to one question many times: how long it takes, and what it is."""
    random = Random(1)
    body = {"question": 7, "text": text}
    planned = [plan_answer(body, lead, random) for _ in range(count)]
    return [(one.seconds, one.body["answer"]) for one in planned if one is not None]


@pytest.mark.parametrize(("text", "answer"), [("7 × 8", 56), ("12 + 9", 21), ("9 - 4", 5)])
def test_the_bot_is_mostly_right_and_sometimes_wrong(text: str, answer: int) -> None:
    right = sum(found == answer for _, found in plans(text))

    assert 400 < right < 450


def test_the_bot_takes_about_as_long_as_a_person() -> None:
    seconds = [seconds for seconds, _ in plans("7 × 8")]

    assert LEAST <= min(seconds) < LEAST + 1
    assert MOST - 1 < max(seconds) <= MOST
    assert 4.5 < sum(seconds) / len(seconds) < 6


@given(lead=st.integers(-100, 100))
def test_the_bot_slows_down_when_it_is_ahead(lead: int) -> None:
    slower = plans("7 × 8", lead=lead, count=1)[0][0] - plans("7 × 8", count=1)[0][0]

    assert slower == pytest.approx(min(max(lead, 0) // 10, LEAD_TENS_MAX) * LEAD_SECONDS)


def test_the_answer_names_its_question() -> None:
    planned = plan_answer({"question": 7, "text": "7 × 8"}, 0, Random(1))

    assert planned is not None
    assert planned.body["question"] == 7


@pytest.mark.parametrize("text", ["7 ÷ 8", "what?", None, "1 + 2 + 3", "99999 + 1"])
def test_what_is_no_question_is_not_answered(text: Any) -> None:
    assert plan_answer({"question": 7, "text": text}, 0, Random(1)) is None
