"""Schedules of seasons: what they mean, and that no schedule costs much."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubbub.errors import Invalid
from hubbub.games.boards.seasons import (
    CHECKED_DAYS_MAX,
    ENDS_CHECKED_MAX,
    RESET_CHARS_MAX,
    check_schedule,
    last_reset,
    next_reset,
)
from tests.games.board_kit import DAILY, DAY, MIDNIGHT, NOON

HOUR = 3_600.0


@pytest.mark.parametrize(
    "schedule",
    [
        "0 0 30 2 *",
        "0 0 31 4 *",
        "59 23 31 6,9,11 *",
        "0 0 */31 2 MON#5",
        "*/0 * * * *",
        "60 * * * *",
        "1-0 * * * *",
        "0 0 0 0 0",
        "0 0 1 1 8",
        "@yearly",
        "* * * * * *",
        "* * * *",
        "\u0660 0 * * *",
        "* * * * *\x00",
        "*\t* * * *",
        "* * * * \u00b2L",
        "9" * 190 + " * * * *",
        "* " * RESET_CHARS_MAX,
        "",
        5,
        ["0 0 * * *"],
        pytest.param(10**5_000, id="many digits"),
    ],
)
def test_what_never_comes_true_is_refused(schedule: object) -> None:
    with pytest.raises(Invalid):
        next_reset(schedule, NOON)


@given(st.text("0123456789*/,-#LW MONTUEFEB", max_size=40), st.integers(0, 10_000))
def test_any_text_is_a_schedule_or_refused(text: str, days: int) -> None:
    try:
        due = next_reset(text, NOON + timedelta(days=days))
    except Invalid:
        return

    assert due is not None
    assert due > NOON + timedelta(days=days)


@pytest.mark.parametrize(
    ("schedule", "seconds"),
    [
        ("* * * * *", 60),
        ("*/7 * * * *", 240),
        ("0,30 * * * *", 1_800),
        ("0 * * * *", HOUR),
        (DAILY, 24 * HOUR),
        ("0 0 * * MON", 7 * 24 * HOUR),
        # A Monday may be the day before the first or after it.
        ("0 0 1 * MON", 24 * HOUR),
        ("* * 29 2 *", 60),
    ],
)
def test_a_season_has_a_shortest_time(schedule: str, seconds: float) -> None:
    check_schedule(schedule, NOON, seconds)

    with pytest.raises(Invalid, match="a season lasts"):
        check_schedule(schedule, NOON, seconds + 1)


def test_without_a_schedule_there_is_nothing_to_check() -> None:
    check_schedule(None, NOON, HOUR)


def test_a_rare_schedule_is_not_looked_at_for_ever() -> None:
    # Once in four years: the first end is beyond what is looked at already.
    check_schedule("0 0 29 2 *", NOON, CHECKED_DAYS_MAX * 24 * HOUR)
    # And of a frequent one there are so many that the days do not matter.
    check_schedule("0 0 * * *", NOON, 24 * HOUR)

    assert timedelta(days=ENDS_CHECKED_MAX) < timedelta(days=CHECKED_DAYS_MAX)


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (MIDNIGHT, MIDNIGHT),
        (MIDNIGHT + timedelta(microseconds=1), MIDNIGHT),
        (MIDNIGHT - timedelta(microseconds=1), MIDNIGHT - DAY),
    ],
)
def test_the_last_end_is_not_later_than_now(now: datetime, expected: datetime) -> None:
    assert last_reset(DAILY, now) == expected
