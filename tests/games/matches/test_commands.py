"""The decisions about a match, and their effect on all streams."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from hubbub import BestOf, Conflict, Custom, FirstTo, Invalid, NotAllowed, NotFound, Rounds, Timed
from hubbub.games import events as e
from hubbub.games.boards.commands import Maker
from hubbub.games.matches import commands as decisions
from hubbub.games.matches.game import PLAYERS_MAX
from hubbub.games.matches.rules import POINTS_MAX
from hubbub.journal.event import Draft
from hubbub.journal.link import Linked
from tests.games.board_kit import NOON
from tests.games.match_kit import FOUND, STREAM, Hall, kinds


@pytest.fixture
def hall() -> Hall:
    return Hall()


# Starting


def test_a_match_is_written_to_all_who_are_asked_for_it(hall: Hall) -> None:
    happened = hall.start()

    assert kinds(happened) == ["Started", "Linked", "Linked", "Linked", "Scheduled"]
    assert STREAM in hall.user("ann").links
    assert hall.due() == {STREAM: None}


def test_a_private_match_is_not_listed(hall: Hall) -> None:
    assert kinds(hall.start(private=True)) == ["Started", "Linked", "Linked", "Scheduled"]


def test_who_is_connected_is_present(hall: Hall) -> None:
    hall.online.discard("bob")
    hall.start()

    assert hall.match().present == {"ann"}


def test_a_timed_match_is_planned_to_end(hall: Hall) -> None:
    hall.start(rules=Timed(60.0))

    assert hall.due() == {STREAM: NOON + timedelta(seconds=60)}


@pytest.mark.parametrize(
    "players",
    [["ann"], [], ["ann", "ann"], ["ann", 7], "ann", None, ["x"] * (PLAYERS_MAX + 1)],
)
def test_players_that_cannot_play_are_refused(hall: Hall, players: Any) -> None:
    wanted = decisions.NewMatch(players, FirstTo(), "main")
    with pytest.raises(Invalid, match="different players"):
        hall.do(lambda states: decisions.start(states, STREAM, wanted, hall.terms))


def test_as_many_play_as_are_allowed(hall: Hall) -> None:
    players = [f"p{number}" for number in range(PLAYERS_MAX + 1)]
    with pytest.raises(NotFound):
        hall.start(*players[:-1])
    with pytest.raises(Invalid):
        hall.start(*players)


@pytest.mark.parametrize(
    ("more", "error"),
    [
        ({"rules": FirstTo(0)}, Invalid),
        ({"rules": Custom("chess")}, Invalid),
        ({"game": "chess"}, Invalid),
        ({"game": 7}, Invalid),
        ({"referee": 7}, Invalid),
    ],
)
def test_what_is_wrong_starts_nothing(
    hall: Hall, more: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error):
        hall.start(**more)
    assert hall.events == []


def test_a_player_whom_nobody_has_seen_is_not_found(hall: Hall) -> None:
    with pytest.raises(NotFound, match="'eve'"):
        hall.start("ann", "eve")


# Scoring


def test_the_first_with_so_many_points_wins(hall: Hall) -> None:
    hall.start(rules=FirstTo(10))
    going = hall.score("ann", 9)
    ended = hall.score("bob", 10)

    assert kinds(going) == ["Scored"]
    assert ended[1] == e.Completed("bob", {"ann": 9, "bob": 10})
    with pytest.raises(Conflict, match="completed"):
        hall.score("ann", 1)


def test_a_referee_scores_for_all(hall: Hall) -> None:
    hall.start(rules=FirstTo(10), referee="cid")
    hall.score("cid", 5, player="ann")
    with pytest.raises(NotAllowed):
        hall.score("ann", 5)

    assert hall.match().scores == {"ann": 5, "bob": 0}


def test_a_referee_cannot_score_for_one_who_gave_up(hall: Hall) -> None:
    hall.start("ann", "bob", "cid", referee="ref")
    hall.resign("ann")

    with pytest.raises(Conflict, match="resigned"):
        hall.score("ref", 5, player="ann")
    assert hall.match().scores["ann"] == 0


@pytest.mark.parametrize("points", [-1, 1.5, "5", None, True, POINTS_MAX + 1])
def test_points_are_whole_and_within_their_limits(hall: Hall, points: Any) -> None:
    hall.start()
    with pytest.raises(Invalid):
        hall.score("ann", points)
    with pytest.raises(Invalid):
        hall.score("ann", 0)

    assert hall.match().scores["ann"] == 0


def test_the_most_points_at_once_count(hall: Hall) -> None:
    hall.start(rules=FirstTo(POINTS_MAX))
    hall.score("ann", POINTS_MAX)

    assert hall.match().winner == "ann"


def test_after_its_time_nobody_scores_even_if_it_goes_on(hall: Hall) -> None:
    hall.start(rules=Timed(60.0))
    hall.score("ann", 1)
    hall.pass_by(60)
    with pytest.raises(Conflict, match="time of this match is up"):
        hall.score("bob", 2)

    assert kinds(hall.look())[0] == "Completed"
    assert hall.match().winner == "ann"


def test_rounds_end_when_everybody_has_had_them(hall: Hall) -> None:
    hall.start(rules=Rounds(2))
    for by, points in [("ann", 1), ("ann", 0), ("bob", 5)]:
        hall.score(by, points)
    with pytest.raises(Conflict, match="wait for the other players"):
        hall.score("ann", 9)
    hall.score("bob", 0)

    assert hall.match().winner == "bob"


def test_own_rules_decide(hall: Hall) -> None:
    hall.start(rules=Custom("golf", {"holes": 1}))
    hall.score("ann", 3)
    hall.score("bob", 4)

    assert hall.match().winner == "ann"


# Giving up


def test_of_two_the_one_who_stays_wins(hall: Hall) -> None:
    hall.start()
    assert kinds(hall.resign("ann"))[:2] == ["Resigned", "Completed"]
    assert hall.resign("ann") == []
    with pytest.raises(Conflict):
        hall.resign("bob")

    assert (hall.match().winner, hall.match().gone) == ("bob", ["ann"])


def test_of_three_two_go_on(hall: Hall) -> None:
    hall.start("ann", "bob", "cid", rules=BestOf(2))
    hall.score("ann", 1)
    assert kinds(hall.resign("ann")) == ["Resigned"]
    with pytest.raises(Conflict, match="resigned"):
        hall.score("ann", 1)
    hall.score("bob", 1)

    assert hall.match().winner == "bob"


def test_to_give_up_may_end_the_rounds_of_the_others(hall: Hall) -> None:
    hall.start("ann", "bob", "cid", rules=Rounds(1))
    hall.score("ann", 1)
    hall.score("bob", 2)
    hall.resign("cid")

    assert hall.match().winner == "bob"


def test_who_does_not_play_cannot_give_up(hall: Hall) -> None:
    hall.start()
    with pytest.raises(NotAllowed):
        hall.resign("cid")
    with pytest.raises(NotFound):
        hall.resign("ann", "match/2")


# What a game says and does


def test_what_a_game_tells_is_kept_until_the_end(hall: Hall) -> None:
    hall.start()
    told = hall.do(lambda states: decisions.tell(states, STREAM, {"a": 1}))
    hall.resign("ann")

    assert told == [e.Told({"a": 1})]
    with pytest.raises(Conflict):
        hall.do(lambda states: decisions.tell(states, STREAM, {"a": 1}))


def test_a_match_is_cancelled_once(hall: Hall) -> None:
    hall.start()
    first = hall.do(lambda states: decisions.cancel(states, STREAM, "rain"))
    second = hall.do(lambda states: decisions.cancel(states, STREAM, "snow"))

    assert kinds(first) == ["MatchCancelled", "Unscheduled", "Unlinked", "Unlinked", "Unlinked"]
    assert second == []
    assert STREAM not in hall.user("ann").links
    with pytest.raises(NotFound):
        hall.do(lambda states: decisions.cancel(states, "match/2", "rain"))


def test_a_match_is_found_by_the_key_of_its_search(hall: Hall) -> None:
    hall.do(lambda _: [Draft("user/ann", Linked("room/1"))])
    hall.start(keys={"ann": "a", "bob": "b"})

    def found(by: str, key: str) -> Any:
        return hall.ask(lambda states: decisions.found(states, (), by=by, key=key))

    assert found("ann", "a")[1].id == "1"
    assert found("ann", "b") == (1_500, None)
    assert found("cid", "a") == (1_500, None)


# Over a network


def starter(user: str, matches_max: int = 2) -> decisions.Starter:
    return decisions.Starter(Maker(user, 1, 10, 3_600), matches_max)


def test_the_others_must_be_connected(hall: Hall) -> None:
    hall.online.discard("bob")
    with pytest.raises(Conflict, match="'bob' is not connected"):
        hall.start(starter=starter("ann"))
    hall.online.symmetric_difference_update(["ann", "bob"])

    assert kinds(hall.start(starter=starter("ann")))[0] == "Started"


def test_matches_that_others_have_begun_do_not_count(hall: Hall) -> None:
    for number in range(2):
        hall.start(starter=starter("bob"), stream=f"match/b{number}")
        hall.start(starter=starter("ann"), stream=f"match/a{number}")
    with pytest.raises(Conflict, match="2 running matches"):
        hall.start(starter=starter("ann"), stream="match/c")
    hall.resign("ann", "match/a0")

    hall.start(starter=starter("ann"), stream="match/c")


def test_a_match_that_was_found_is_begun_by_all_of_its_players(hall: Hall) -> None:
    hall.start(keys={"ann": "a", "bob": "b"})

    for player in ("ann", "bob"):
        with pytest.raises(Conflict, match="1 running matches"):
            hall.ask(lambda states, by=player: decisions.check_begun(states, by, 1))  # type: ignore[misc]


def test_a_board_that_the_match_will_make_counts(hall: Hall) -> None:
    happened = hall.start(starter=starter("ann"), board="a")

    assert happened.count(Linked("board/a")) == 2
    assert Linked("board/a") not in hall.start(starter=starter("ann"), board="a", stream="match/2")
    with pytest.raises(Conflict, match="1 boards"):
        hall.start(starter=starter("ann", 9), board="b", stream="match/3")


@pytest.mark.parametrize("more", [{"referee": "x" * 101}, {"private": 1}, {"private": None}])
def test_what_has_another_type_is_refused(hall: Hall, more: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        hall.start(**more)


def test_an_id_that_is_too_long_is_not_looked_up(hall: Hall) -> None:
    before = len(hall.states._entries)
    with pytest.raises(NotFound):
        hall.start("ann", "x" * (hall.terms.chars_max + 1))

    assert len(hall.states._entries) == before


# Ratings of the same two


def test_the_same_two_are_rated_so_often(hall: Hall) -> None:
    hall.terms = msgspec.structs.replace(hall.terms, rated_max=1)

    def ratings(number: int) -> list[float]:
        hall.start(stream=f"match/{number}", keys=FOUND)
        hall.resign("ann", f"match/{number}")
        return [hall.user(player).rating for player in ("ann", "bob")]

    first = ratings(1)
    assert first == ratings(2) == ratings(3)
    hall.pass_by(24 * 3_600)
    assert ratings(4) != first
