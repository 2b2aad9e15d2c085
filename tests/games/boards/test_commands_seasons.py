"""When a season ends, and what counts in which."""

from __future__ import annotations

import math
from datetime import datetime, timedelta

import pytest

from hubbub.errors import Invalid
from hubbub.games.boards import commands as s
from hubbub.games.boards.commands import BOARD_SCHEDULE
from hubbub.games.events import BoardCreated, Reset, Submitted
from hubbub.games.scores import SCORE_MAX
from hubbub.journal.event import Data
from hubbub.journal.schedule import Schedule, Scheduled, Unscheduled
from hubbub.journal.shards import stream_shard
from tests.games.board_kit import (
    DAILY,
    DAY,
    MIDNIGHT,
    NOON,
    STREAM,
    Desk,
    create,
    desk_with,
    look,
    scheduled,
    submit,
    table,
)


@pytest.mark.parametrize(
    ("now", "ended_at"),
    [
        (MIDNIGHT, MIDNIGHT),
        (MIDNIGHT + timedelta(microseconds=1), MIDNIGHT),
        (MIDNIGHT + timedelta(seconds=30), MIDNIGHT),
        (MIDNIGHT + DAY - timedelta(microseconds=1), MIDNIGHT),
        (MIDNIGHT + DAY, MIDNIGHT + DAY),
        (MIDNIGHT + 9.5 * DAY, MIDNIGHT + 9 * DAY),
    ],
)
def test_a_season_ends_at_the_newest_boundary_and_the_next_end_is_planned(
    now: datetime, ended_at: datetime
) -> None:
    desk = desk_with(reset=DAILY)
    submit(desk, "ann", 1)
    desk.states.now = now

    assert look(desk) == [Reset(1, ended_at), Scheduled(STREAM, ended_at + DAY)]
    assert desk.board().season_at == ended_at
    assert look(desk) == []


def test_a_season_without_a_score_does_not_end_and_is_not_planned() -> None:
    desk = desk_with(reset=DAILY)
    desk.states.now = MIDNIGHT

    assert look(desk) == [Unscheduled(STREAM)]
    assert scheduled(desk) == {}
    desk.states.now = MIDNIGHT + 9.5 * DAY
    assert look(desk) == []


def test_the_first_score_of_a_season_plans_its_end() -> None:
    desk = desk_with(reset=DAILY)
    desk.states.now = MIDNIGHT
    look(desk)
    desk.states.now = MIDNIGHT + 9.5 * DAY

    ends = MIDNIGHT + 10 * DAY
    assert submit(desk, "ann", 1) == [Scheduled(STREAM, ends), Submitted("ann", 1)]
    assert submit(desk, "bob", 1) == [Submitted("bob", 1)]
    assert look(desk) == []
    desk.states.now = ends
    assert look(desk) == [Reset(1, ends), Scheduled(STREAM, ends + DAY)]


def test_what_was_planned_for_a_season_that_was_empty_is_planned_anew() -> None:
    desk = desk_with(reset=DAILY)
    # The alarm of midnight has not rung yet.
    desk.states.now = MIDNIGHT + timedelta(seconds=1)

    assert submit(desk, "ann", 1) == [Scheduled(STREAM, MIDNIGHT + DAY), Submitted("ann", 1)]
    assert look(desk) == []


def test_a_stale_plan_of_a_season_that_goes_on_is_put_right() -> None:
    desk = desk_with(reset=DAILY)
    submit(desk, "ann", 1)
    schedule = Schedule()
    schedule.due[STREAM] = NOON - DAY
    desk.put(stream_shard(BOARD_SCHEDULE, STREAM), schedule)

    assert look(desk) == [Scheduled(STREAM, MIDNIGHT)]


def test_a_season_does_not_end_before_its_boundary() -> None:
    desk = desk_with(reset=DAILY)
    desk.states.now = MIDNIGHT - timedelta(microseconds=1)

    assert look(desk) == []
    assert submit(desk, "ann", 1) == [Submitted("ann", 1)]


def test_a_board_that_is_made_at_a_boundary_has_a_whole_season() -> None:
    desk = Desk(MIDNIGHT)

    assert create(desk, reset=DAILY)[1:] == [Scheduled(STREAM, MIDNIGHT + DAY)]
    assert look(desk) == []


def test_seasons_are_numbered_from_one() -> None:
    desk = desk_with(reset=DAILY)
    for desk.states.now in (MIDNIGHT, MIDNIGHT + DAY, MIDNIGHT + 5 * DAY):
        submit(desk, "ann", 1)
        look(desk)
    submit(desk, "ann", 1)
    desk.states.now += DAY
    look(desk)

    assert [season.number for season in desk.board().seasons] == [1, 2, 3]
    assert scheduled(desk) == {STREAM: MIDNIGHT + 7 * DAY}


def test_what_comes_before_the_alarm_is_of_the_new_season() -> None:
    desk = desk_with("sum", DAILY)
    submit(desk, "ann", SCORE_MAX)
    desk.states.now = MIDNIGHT

    # In the old season that would be too much.
    decided = submit(desk, "ann", 2, {"map": 1})

    ended = [Reset(1, MIDNIGHT), Scheduled(STREAM, MIDNIGHT + DAY)]
    assert decided == [*ended, Submitted("ann", 2, None, {"map": 1})]
    assert table(desk.board()) == [(1, "ann", 2)]
    assert look(desk) == []


def test_a_score_that_is_no_better_than_the_last_seasons_counts() -> None:
    desk = desk_with(reset=DAILY)
    submit(desk, "ann", 10)
    desk.states.now = MIDNIGHT

    submit(desk, "ann", 5)

    assert table(desk.board()) == [(1, "ann", 5)]


def test_a_refused_score_ends_no_season() -> None:
    desk = desk_with(reset=DAILY)
    desk.states.now = MIDNIGHT

    with pytest.raises(Invalid):
        submit(desk, "ann", math.nan)
    assert desk.board().seasons == []


def test_a_board_without_a_schedule_has_one_season() -> None:
    desk = desk_with()
    desk.states.now = NOON + 1_000 * DAY

    assert look(desk) == []
    assert submit(desk, "ann", 1) == [Submitted("ann", 1)]


def test_what_needs_no_looking_after_is_settled() -> None:
    desk = Desk()
    schedule = Schedule()
    schedule.due[STREAM] = NOON
    desk.put(stream_shard(BOARD_SCHEDULE, STREAM), schedule)

    assert look(desk) == [Unscheduled(STREAM)]
    assert look(desk) == []


# What matches give


def win(desk: Desk, winner: str, points: int = 10) -> list[Data]:
    return desk.do(lambda states: s.win(states, STREAM, winner, points))


def test_a_board_that_nobody_has_made_counts_what_its_matches_give() -> None:
    desk = Desk()

    assert win(desk, "ann") == [BoardCreated("sum", "desc"), Submitted("ann", 10)]
    assert win(desk, "ann") == [Submitted("ann", 10)]
    assert table(desk.board()) == [(1, "ann", 20)]


def test_a_match_that_is_won_before_the_alarm_is_of_the_new_season() -> None:
    desk = desk_with("sum", DAILY)
    win(desk, "ann")
    desk.states.now = MIDNIGHT

    decided = win(desk, "ann")

    assert decided == [Reset(1, MIDNIGHT), Scheduled(STREAM, MIDNIGHT + DAY), Submitted("ann", 10)]
    assert table(desk.board()) == [(1, "ann", 10)]


def test_a_match_ends_though_its_winner_has_as_much_as_a_board_can_hold() -> None:
    desk = desk_with("sum")
    submit(desk, "ann", SCORE_MAX)

    assert win(desk, "ann") == []
