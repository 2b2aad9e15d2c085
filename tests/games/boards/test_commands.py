from __future__ import annotations

import json
import math
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

import hubbub
from hubbub.errors import Conflict, Invalid, NotFound
from hubbub.games.boards import commands as s
from hubbub.games.boards.board import entry_of
from hubbub.games.boards.commands import BOARD_INDEX, MAIN, METADATA_BYTES_MAX
from hubbub.games.boards.seasons import RESET_CHARS_MAX, next_reset
from hubbub.games.events import BoardCreated, Submitted
from hubbub.games.scores import SCORE_MAX
from hubbub.journal.link import Linked
from hubbub.journal.schedule import Scheduled
from hubbub.json_values import LEVELS_MAX
from hubbub.users.user import UserState
from tests.games.board_kit import (
    DAILY,
    DAY,
    MIDNIGHT,
    NOON,
    STREAM,
    Desk,
    create,
    desk_with,
    scheduled,
    submit,
    table,
)

# Making a board


def test_a_board_is_made() -> None:
    desk = Desk()

    assert create(desk, operator="sum", order="asc") == [BoardCreated("sum", "asc")]
    assert scheduled(desk) == {}


def test_the_end_of_its_first_season_is_planned_with_it() -> None:
    desk = Desk()

    assert create(desk, reset=DAILY) == [
        BoardCreated("best", "desc", DAILY),
        Scheduled(STREAM, MIDNIGHT),
    ]


def test_to_make_the_same_board_twice_is_to_make_it_once() -> None:
    assert create(desk_with(reset=DAILY), reset=DAILY) == []


@pytest.mark.parametrize(
    "other", [{"operator": "sum"}, {"order": "asc"}, {"reset": DAILY}, {"reset": "0 1 * * *"}]
)
def test_another_board_of_the_same_name_is_a_conflict(other: dict[str, Any]) -> None:
    desk = desk_with()

    with pytest.raises(Conflict, match="another board 'speed'"):
        create(desk, **other)


@pytest.mark.parametrize(
    "other", [{"operator": "most"}, {"operator": None}, {"order": "up"}, {"order": []}]
)
def test_there_are_three_operators_and_two_orders(other: dict[str, Any]) -> None:
    with pytest.raises(Invalid, match="best, sum or latest"):
        create(Desk(), **other)


@pytest.mark.parametrize("name", ["", " ", "a/b", "x" * 11, "a\nb", None, 5])
def test_a_name_has_limits(name: object) -> None:
    with pytest.raises(Invalid, match="name"):
        create(Desk(), name)


def test_a_name_is_brought_into_normal_form() -> None:
    desk = Desk()
    create(desk, " Ru\u0308ben ")

    assert desk.events[0].stream == "board/R\u00fcben"


async def test_a_board_whose_name_has_another_form_is_the_same() -> None:
    async with hubbub.open("memory://") as hub, hub.session("ann") as ann:
        made = await ann.games.create_board(" speed ")
        again = await ann.games.create_board(" speed ")

        assert made == again
        assert made.stream == STREAM


# Schedules


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        (None, None),
        (DAILY, MIDNIGHT),
        ("0 0 * * MON", datetime(2026, 1, 5, tzinfo=UTC)),
        ("*/5 * * * *", NOON + timedelta(minutes=5)),
        # The moment itself has passed.
        ("0 12 * * *", NOON + DAY),
        ("0 0 29 2 *", datetime(2028, 2, 29, tzinfo=UTC)),
    ],
)
def test_a_schedule_comes_true_next(schedule: str | None, expected: datetime | None) -> None:
    assert next_reset(schedule, NOON) == expected


@pytest.mark.parametrize(
    "schedule",
    [
        "",
        "daily",
        "@daily",
        "0 0 * *",
        "0 0 0 * * *",
        "60 0 * * *",
        "0 24 * * *",
        "0 0 * * FUN",
        # There is no such day.
        "0 0 30 2 *",
        "0 0 31 4,6,9,11 *",
        5,
        ["0", "0", "*", "*", "*"],
        b"0 0 * * *",
        "0 0 * * " + "5" * 5_000,
    ],
)
def test_what_is_no_schedule_is_refused(schedule: object) -> None:
    with pytest.raises(Invalid, match="cron schedule"):
        create(Desk(), reset=schedule)


def test_a_schedule_has_a_limit() -> None:
    at_it = "0" + ",0" * ((RESET_CHARS_MAX - len(DAILY)) // 2) + DAILY[1:]
    longest = at_it.ljust(RESET_CHARS_MAX)

    assert next_reset(longest, NOON) == MIDNIGHT
    with pytest.raises(Invalid, match="up to 200 characters"):
        next_reset(longest + " ", NOON)


# Submitting


def test_a_score_counts() -> None:
    desk = desk_with()

    assert submit(desk, "ann", 10) == [Submitted("ann", 10)]
    assert table(desk.board()) == [(1, "ann", 10)]


def test_it_is_submitted_under_the_nickname_of_that_time() -> None:
    desk = desk_with()
    user = UserState()
    desk.put("user/ann", user)

    for score, user.nickname in ((1, "Ann"), (2, "ann"), (3, "")):
        submit(desk, "ann", score)

    events = [event.data for event in desk.events[1:]]
    assert events == [
        Submitted("ann", 1, "Ann"),
        Submitted("ann", 2, None),
        Submitted("ann", 3, ""),
    ]
    assert entry_of(STREAM, desk.board(), "ann").nickname == "ann"


def test_a_score_that_does_not_count_is_not_written() -> None:
    desk = desk_with()
    submit(desk, "ann", 10)

    assert submit(desk, "ann", 9, {"map": 1}) == []
    assert submit(desk, "ann", 10) == []


def test_a_board_must_be_made_first() -> None:
    with pytest.raises(NotFound, match=r"create it with games\.create_board"):
        submit(Desk(), "ann", 10)


def test_the_main_board_is_made_by_the_first_score() -> None:
    desk = Desk()

    assert submit(desk, "ann", 10, stream=MAIN) == [
        BoardCreated("sum", "desc"),
        Submitted("ann", 10),
    ]
    assert submit(desk, "bob", 5, stream=MAIN) == [Submitted("bob", 5)]
    assert table(desk.board(MAIN)) == [(1, "ann", 10), (2, "bob", 5)]


def test_the_main_board_may_be_made_otherwise_before() -> None:
    desk = Desk()
    create(desk, "main", operator="latest", order="asc")

    assert submit(desk, "ann", 10, stream=MAIN) == [Submitted("ann", 10)]


@pytest.mark.parametrize("score", [math.nan, math.inf, True, SCORE_MAX + 1, "10", None])
def test_what_is_no_score_is_refused(score: object) -> None:
    for desk, stream in ((desk_with(), STREAM), (Desk(), MAIN)):
        with pytest.raises(Invalid, match="A score must be a number"):
            submit(desk, "ann", score, stream=stream)


def test_a_sum_that_would_be_too_large_is_refused() -> None:
    desk = desk_with("sum")
    submit(desk, "ann", SCORE_MAX)

    with pytest.raises(Conflict, match="too large"):
        submit(desk, "ann", 1)
    assert submit(desk, "ann", -1) == [Submitted("ann", -1)]


# Metadata


def of_size(size: int) -> dict[str, str]:
    empty = len(json.dumps({"a": ""}, separators=(",", ":")))
    return {"a": "x" * (size - empty)}


def test_metadata_has_a_limit() -> None:
    desk = desk_with("latest")
    largest = of_size(METADATA_BYTES_MAX)

    assert submit(desk, "ann", 1, largest) == [Submitted("ann", 1, None, largest)]
    with pytest.raises(Invalid, match="metadata has 4,097 bytes of JSON; shorten it to 4,096"):
        submit(desk, "ann", 2, of_size(METADATA_BYTES_MAX + 1))


@pytest.mark.parametrize(
    "metadata", [[], "map", 5, {1: 2}, {"a": object()}, {"a": "\ud800"}, {"a": {1j: 2}}]
)
def test_metadata_is_an_object_that_is_written_as_json(metadata: object) -> None:
    with pytest.raises(Invalid, match="metadata"):
        submit(desk_with(), "ann", 1, metadata)


def test_metadata_that_holds_itself_is_refused() -> None:
    endless: dict[str, Any] = {}
    endless["a"] = endless

    with pytest.raises(Invalid, match="cannot be encoded as JSON"):
        submit(desk_with(), "ann", 1, endless)


def nested(levels: int) -> Any:
    return {"a": nested(levels - 1)} if levels % 2 else [nested(levels - 1)] if levels else 1


def test_metadata_is_nested_so_deep_that_it_can_be_read_again() -> None:
    desk = desk_with()

    submit(desk, "ann", 1, {"a": nested(LEVELS_MAX - 1)})
    for levels in (LEVELS_MAX, 500):
        with pytest.raises(Invalid, match="more than 32 levels deep"):
            submit(desk, "ann", 2, {"a": nested(levels)})


def test_metadata_is_what_its_json_is() -> None:
    # So it is the same before and after a restart.
    desk = desk_with()

    submit(desk, "ann", 1, {"a": (1, 2), "b": math.nan, "c": {1: NOON}})

    shown = entry_of(STREAM, desk.board(), "ann").metadata
    assert shown == {"a": [1, 2], "b": None, "c": {"1": "2026-01-01T12:00:00Z"}}


def test_what_a_caller_does_to_metadata_later_is_their_affair() -> None:
    desk, metadata = desk_with(), {"laps": [1]}
    submit(desk, "ann", 1, metadata)

    metadata["laps"].append(2)

    assert entry_of(STREAM, desk.board(), "ann").metadata == {"laps": [1]}


# Over a network


def made_by(desk: Desk, name: str, **limits: Any) -> list[Any]:
    maker = s.Maker("ann", **{"boards_max": 2, "all_max": 3, "season_seconds_min": 3_600} | limits)
    return desk.do(lambda states: s.create_board(states, name, "best", "desc", None, 10, maker))


def test_a_board_that_a_user_has_made_is_counted_once() -> None:
    desk = Desk()

    assert made_by(desk, "a") == [
        BoardCreated("best", "desc"),
        Linked("board/a"),
        Linked("board/a"),
    ]
    assert made_by(desk, "a") == []
    assert {event.stream for event in desk.events[1:]} == {"user/ann", BOARD_INDEX}


def test_a_user_makes_so_many_boards_and_all_users_so_many() -> None:
    desk = Desk()
    made_by(desk, "a")
    made_by(desk, "b")

    with pytest.raises(Conflict, match="created 2 boards"):
        made_by(desk, "c")
    with pytest.raises(Conflict, match="are 2 boards"):
        made_by(desk, "c", boards_max=9, all_max=2)
    # The application makes as many as it likes, and they count for nobody.
    create(desk, "c")
    assert made_by(desk, "d", boards_max=9)[0] == BoardCreated("best", "desc")


def test_the_seasons_of_a_users_board_have_a_shortest_time() -> None:
    maker = s.Maker("ann", 2, 3, 3_600)

    def make(reset: str) -> list[Any]:
        return Desk().do(
            lambda states: s.create_board(states, "a", "best", "desc", reset, 10, maker)
        )

    assert make("0 * * * *")[0] == BoardCreated("best", "desc", "0 * * * *")
    with pytest.raises(Invalid, match="a season lasts 60 s"):
        make("* * * * *")
