"""A match's end is written to the match, the board and the players, all at once."""

from __future__ import annotations

import msgspec
import pytest

from hubbub import FirstTo, Game, Rounds
from hubbub.games import events as e
from hubbub.games.matches.ending import ranks
from hubbub.games.matches.rules import Outcome
from hubbub.journal.link import Unlinked
from hubbub.journal.schedule import HUB, Unscheduled
from hubbub.journal.shards import stream_shard
from hubbub.players import Rated
from tests.games.board_kit import table
from tests.games.match_kit import FOUND, STREAM, Hall


@pytest.fixture
def hall() -> Hall:
    return Hall()


def test_all_who_answer_for_a_match_hear_of_its_end_together(hall: Hall) -> None:
    hall.start(rules=FirstTo(10), keys=FOUND)
    happened = hall.score("ann", 10)
    to = {event.stream: type(event.data) for event in hall.events[-len(happened) :]}

    assert [type(data) for data in happened] == [
        e.Scored, e.Completed, Unscheduled, Unlinked, Unlinked, Unlinked,
        e.BoardCreated, e.Submitted, Rated, Rated,
    ]  # fmt: skip
    assert set(to) == {
        STREAM, stream_shard("agenda/matches", STREAM), stream_shard("index/matches", STREAM),
        "board/main", "user/ann", "user/bob",
    }  # fmt: skip


def test_the_winner_gets_points_by_the_name_they_have(hall: Hall) -> None:
    hall.start(rules=FirstTo(10))
    [submitted] = [d for d in hall.score("ann", 10) if isinstance(d, e.Submitted)]

    assert submitted == e.Submitted("ann", 10, "Ann")
    assert table(hall.board("board/main")) == [(1, "ann", 10)]


def test_wins_add_up_on_the_board(hall: Hall) -> None:
    for number, winner in enumerate(["ann", "bob", "ann"]):
        hall.start(rules=FirstTo(10), stream=f"match/{number}")
        hall.score(winner, 10, stream=f"match/{number}")

    assert table(hall.board("board/main")) == [(1, "ann", 20), (2, "bob", 10)]


def test_a_draw_gives_no_points(hall: Hall) -> None:
    hall.start(rules=Rounds(1))
    hall.score("ann", 3)
    happened = hall.score("bob", 3)

    assert e.Completed(None, {"ann": 3, "bob": 3}) in happened
    assert hall.board("board/main").created_at is None
    assert hall.user("ann").rating == hall.user("bob").rating == 1_500


def test_ratings_move_by_who_has_won(hall: Hall) -> None:
    hall.start(rules=FirstTo(10), keys=FOUND)
    hall.score("ann", 10)

    assert hall.user("ann").rating > 1_500 > hall.user("bob").rating
    assert hall.user("ann").deviation < 500


# Which matches are rated


@pytest.mark.parametrize("referee", [HUB, "dan"])
def test_a_match_with_a_referee_is_rated(hall: Hall, referee: str) -> None:
    hall.start(rules=FirstTo(10), referee=referee)
    hall.score(referee, 10, player="ann")

    assert hall.user("ann").rating > 1_500 > hall.user("bob").rating


@pytest.mark.parametrize("referee", [None, "ann"])
def test_a_match_whose_players_count_for_themselves_gives_points_and_no_rating(
    hall: Hall, referee: str | None
) -> None:
    hall.start(rules=FirstTo(10), referee=referee)
    hall.score("ann", 10, player="ann")

    assert hall.match().winner == "ann"
    assert table(hall.board("board/main")) == [(1, "ann", 10)]
    assert not any(isinstance(event.data, Rated) for event in hall.events)


def test_a_game_may_be_unrated_and_say_what_a_win_gives(hall: Hall) -> None:
    games = {"tea": Game(rated=False, win_points=3), "free": Game(win_points=0)}
    hall.terms = msgspec.structs.replace(hall.terms, games=games)
    for number, game in enumerate(("tea", "free", "tea")):
        stream = f"match/{number}"
        hall.start(rules=FirstTo(10), keys=FOUND, game=game, stream=stream)
        hall.score("ann", 10, stream=stream)
        rated = any(isinstance(event.data, Rated) for event in hall.events)
        assert rated == (number > 0)

    assert table(hall.board("board/main")) == [(1, "ann", 6)]


def test_without_points_for_a_win_there_is_no_board() -> None:
    hall = Hall()
    hall.terms = type(hall.terms)(hall.terms.games, hall.terms.online, hall.terms.grace, 0)
    hall.start(rules=FirstTo(10))
    happened = hall.score("ann", 10)

    assert not any(isinstance(data, e.Submitted) for data in happened)


@pytest.mark.parametrize(
    ("gone", "winner", "expected"),
    [
        ([], "bob", [2, 1, 3]),
        ([], None, [1, 2, 3]),
        (["ann"], "bob", [3, 1, 2]),
        (["cid", "ann"], "bob", [2, 1, 3]),
    ],
)
def test_places_go_by_points_and_then_by_who_stayed_longest(
    hall: Hall, gone: list[str], winner: str | None, expected: list[int]
) -> None:
    hall.start("ann", "bob", "cid")
    for player, points in [("ann", 5), ("bob", 3), ("cid", 1)]:
        hall.score(player, points)
    match = hall.match()
    match.gone = gone

    assert ranks(match, match.standing(hall.states.now), Outcome(winner)) == expected
