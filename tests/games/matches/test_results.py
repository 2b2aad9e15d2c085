"""A game names the winner of its match."""

from __future__ import annotations

from typing import Any

import pytest

from hubbub import FirstTo
from hubbub.errors import Conflict, Invalid, NotFound
from hubbub.games import events as e
from hubbub.games.matches import commands as decisions
from hubbub.games.matches.results import NOBODY_CAME
from hubbub.journal.event import Data
from hubbub.journal.schedule import HUB
from tests.games.board_kit import table
from tests.games.match_kit import STREAM, Hall, kinds


@pytest.fixture
def hall() -> Hall:
    return Hall()


def start(hall: Hall, *players: str) -> None:
    """Start a match that a game runs."""
    hall.start(*players, rules=FirstTo(100), referee=HUB, game="default")


def finish(hall: Hall, winner: Any) -> list[Data]:
    """Let the game name the winner."""
    return hall.do(lambda states: decisions.finish(states, STREAM, winner, hall.terms), by=HUB)


def test_the_winner_that_a_game_names_gets_points_and_rating(hall: Hall) -> None:
    start(hall)
    hall.score(HUB, 7, player="bob")
    happened = finish(hall, "ann")

    assert happened[0] == e.Completed("ann", {"ann": 0, "bob": 7})
    assert table(hall.board("board/main")) == [(1, "ann", 10)]
    assert hall.user("ann").rating > 1_500 > hall.user("bob").rating


def test_a_game_names_nobody_after_a_draw(hall: Hall) -> None:
    start(hall)
    finish(hall, None)

    assert (hall.match().status, hall.match().winner) == ("completed", None)
    assert hall.board("board/main").created_at is None


@pytest.mark.parametrize("winner", ["eve", "cid", 7, ["ann"]])
def test_who_does_not_play_does_not_win(hall: Hall, winner: Any) -> None:
    start(hall)
    with pytest.raises(Invalid, match="does not play"):
        finish(hall, winner)

    assert hall.match().status == "active"


def test_who_has_resigned_does_not_win(hall: Hall) -> None:
    start(hall, "ann", "bob", "cid")
    hall.resign("ann")

    with pytest.raises(Invalid, match="has resigned"):
        finish(hall, "ann")


def test_a_match_ends_once(hall: Hall) -> None:
    start(hall)
    finish(hall, "ann")

    with pytest.raises(Conflict, match="completed"):
        finish(hall, "bob")


@pytest.mark.parametrize("winner", ["ann", "bob", None])
def test_a_result_against_a_player_who_never_came_is_none(hall: Hall, winner: str | None) -> None:
    hall.online.discard("bob")
    start(hall)
    happened = finish(hall, winner)

    assert kinds(happened)[0] == "MatchCancelled"
    assert hall.match().reason == NOBODY_CAME
    assert hall.board("board/main").created_at is None
    assert hall.user("ann").rating == 1_500


def test_what_is_told_to_a_player_is_in_their_stream_alone(hall: Hall) -> None:
    start(hall)
    body = {"hand": ["7♠"]}
    hall.do(lambda states: decisions.tell_player(states, STREAM, "bob", body), by=HUB)

    assert [event.stream for event in hall.events if "7♠" in repr(event.data)] == ["user/bob"]
    with pytest.raises(Invalid, match="does not play"):
        hall.do(lambda states: decisions.tell_player(states, STREAM, "eve", body), by=HUB)


def test_there_is_nobody_to_tell_in_a_match_that_there_is_not(hall: Hall) -> None:
    with pytest.raises(NotFound):
        hall.ask(lambda states: decisions.check_submitter(states, STREAM, "ann"))
