"""A match that no player is left to win ends, and no absent player wins it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubbub import Custom, FirstTo, Rounds, Timed
from hubbub.games import events as e
from hubbub.games.matches.rules import AnyRules
from hubbub.journal.schedule import HUB
from tests.games.board_kit import NOON, table
from tests.games.match_kit import GRACE, PLAYERS, STREAM, Hall, kinds

WEEK = 7 * 24 * 3_600.0
IDLE = 24 * 3_600.0


@pytest.fixture
def hall() -> Hall:
    return Hall()


def go(hall: Hall, *players: str, after: float = 0.0) -> list[str]:
    """Let players leave; tell what the match makes of it."""
    hall.online.difference_update(players)
    return kinds(hall.look(after))


def ended(hall: Hall) -> tuple[str, str | None]:
    return hall.match().status, hall.match().winner


def nobody_gained(hall: Hall) -> bool:
    board = hall.board("board/main")
    return not board.ranking and all(hall.user(player).rating == 1_500 for player in PLAYERS)


# Two who drop


def test_of_two_who_drop_one_after_another_neither_wins(hall: Hall) -> None:
    hall.start()
    go(hall, "ann")
    go(hall, "bob", after=10)

    assert kinds(hall.look(20)) == ["Forfeited", "Scheduled"]
    assert hall.due() == {STREAM: NOON + timedelta(seconds=40)}
    assert hall.look(9.999) == []
    assert kinds(hall.look(0.001))[:2] == ["Forfeited", "MatchCancelled"]
    assert ended(hall) == ("cancelled", None)
    assert nobody_gained(hall)


def test_the_second_to_drop_wins_by_coming_back(hall: Hall) -> None:
    hall.start()
    go(hall, "ann")
    go(hall, "bob", after=10)
    hall.look(20)
    hall.online.add("bob")

    assert kinds(hall.look(5))[:2] == ["Returned", "Completed"]
    assert ended(hall) == ("completed", "bob")


def test_to_resign_while_the_other_is_away_is_to_lose(hall: Hall) -> None:
    hall.start()
    go(hall, "bob")
    hall.resign("ann")

    assert ended(hall) == ("completed", "bob")


# Those who never came


def test_a_player_who_never_came_does_not_win(hall: Hall) -> None:
    hall.online.discard("bob")
    hall.start()
    go(hall, "ann", after=100)

    assert kinds(hall.look(30))[:2] == ["Forfeited", "MatchCancelled"]
    assert ended(hall) == ("cancelled", None)
    assert nobody_gained(hall)


def test_nobody_wins_against_a_player_who_never_came(hall: Hall) -> None:
    hall.online.discard("bob")
    hall.start(rules=FirstTo(10))
    hall.score("ann", 10)

    assert ended(hall) == ("cancelled", None)
    assert hall.match().scores == {"ann": 10, "bob": 0}
    assert nobody_gained(hall)


def test_a_timed_match_against_a_player_who_never_came_has_no_result(hall: Hall) -> None:
    hall.online.discard("bob")
    hall.start(rules=Timed(60))
    hall.score("ann", 1)
    hall.look(60)

    assert ended(hall) == ("cancelled", None)
    assert nobody_gained(hall)


def test_of_three_those_are_rated_who_came(hall: Hall) -> None:
    hall.online.discard("cid")
    hall.start(*PLAYERS, rules=FirstTo(10), referee=HUB)
    hall.score(HUB, 10, player="ann")

    assert ended(hall) == ("completed", "ann")
    assert hall.user("ann").rating > 1_500 > hall.user("bob").rating
    assert hall.user("cid").rating == 1_500


def test_a_player_who_never_came_is_not_made_the_winner_by_rules(hall: Hall) -> None:
    hall.online.discard("cid")
    hall.start(*PLAYERS, rules=Custom("absent wins"))
    hall.score("ann", 1)

    assert ended(hall) == ("cancelled", None)


def test_if_nobody_comes_a_match_is_cancelled_after_the_grace(hall: Hall) -> None:
    hall.online.clear()
    # Ann starts it, as an application's program would, and plays not herself.
    hall.start("bob", "cid")

    assert hall.due() == {STREAM: NOON + GRACE}
    assert hall.look(29.999) == []
    assert kinds(hall.look(0.001))[0] == "MatchCancelled"


def test_a_player_who_never_came_is_waited_for_when_the_other_resigns_at_once(hall: Hall) -> None:
    hall.online.discard("bob")
    hall.start()
    assert kinds(hall.resign("ann")) == ["Resigned", "Scheduled"]
    hall.online.add("bob")

    assert kinds(hall.look(10))[:2] == ["Returned", "Completed"]
    assert ended(hall) == ("completed", "bob")


def test_if_they_do_not_come_then_it_is_cancelled(hall: Hall) -> None:
    hall.online.discard("bob")
    hall.start()
    hall.resign("ann")

    assert hall.look(29.999) == []
    assert kinds(hall.look(0.001))[0] == "MatchCancelled"


def test_after_the_grace_it_is_cancelled_at_once(hall: Hall) -> None:
    hall.online.discard("bob")
    hall.start()
    hall.look(100)

    assert kinds(hall.resign("ann"))[:2] == ["Resigned", "MatchCancelled"]


# Those who come without being connected


def test_who_plays_over_http_has_come(hall: Hall) -> None:
    hall.online.clear()
    hall.start(rules=FirstTo(10))
    hall.score("bob", 1)
    hall.look(100)
    hall.score("ann", 10)

    assert ended(hall) == ("completed", "ann")
    assert table(hall.board("board/main")) == [(1, "ann", 10)]


def test_a_match_without_connections_ends_when_nothing_has_happened_for_long(hall: Hall) -> None:
    hall.online.clear()
    hall.start()
    for player in ("ann", "bob"):
        hall.score(player, 1)
        hall.pass_by(5)
    hall.look(20)

    assert hall.due() == {STREAM: NOON + timedelta(seconds=5 + IDLE)}
    assert hall.look(IDLE - 25.001) == []
    assert kinds(hall.look(0.001))[0] == "MatchCancelled"


def test_who_was_found_by_a_search_has_come(hall: Hall) -> None:
    hall.online.clear()
    hall.start(rules=FirstTo(10), keys={"ann": "a", "bob": "b"})
    hall.score("ann", 10)

    assert ended(hall) == ("completed", "ann")


def test_a_referee_answers_for_players_who_never_connect(hall: Hall) -> None:
    hall.online.clear()
    hall.start(rules=FirstTo(10), referee="app")
    assert kinds(hall.look(1_000)) == ["Scheduled"]
    hall.score("app", 10, player="bob")

    assert ended(hall) == ("completed", "bob")
    assert hall.user("bob").rating > 1_500 > hall.user("ann").rating


def test_a_referee_who_does_nothing_is_not_waited_for_for_ever(hall: Hall) -> None:
    hall.online.clear()
    hall.start(referee="app")
    hall.look(30)

    assert kinds(hall.look(IDLE - 30))[0] == "MatchCancelled"


def test_after_the_time_the_last_player_is_awaited_until_their_grace_ends() -> None:
    hall = Hall()
    hall.start(*PLAYERS, rules=Timed(40.0))
    hall.online.clear()
    hall.online.add("ann")
    hall.look()
    hall.online.clear()
    hall.look(11)
    hall.look(19)

    # The time is up at 40 seconds, and ann can return until 41.
    hall.look(10)
    assert hall.due()[STREAM] == hall.states.now + timedelta(seconds=1)
    hall.look(1)
    assert hall.match().status == "cancelled"


# Whatever happens

rules: st.SearchStrategy[AnyRules] = st.sampled_from([FirstTo(9), Rounds(2), Timed(40.0)])
steps = st.lists(
    st.tuples(
        st.frozensets(st.sampled_from(PLAYERS)),
        st.integers(0, 40),
        st.sampled_from([None, *PLAYERS]),
        st.integers(0, 9),
    ),
    max_size=20,
)


@given(rules, st.frozensets(st.sampled_from(PLAYERS)), steps)
def test_a_match_that_all_have_left_ends_and_only_those_who_came_win(
    made: AnyRules, first: frozenset[str], taken: list[tuple[frozenset[str], int, str | None, int]]
) -> None:
    hall, came = Hall(), set(first) | {"ann"}
    hall.online.intersection_update(first)
    hall.start(*PLAYERS, rules=made)
    for online, seconds, player, points in taken:
        hall.online.clear()
        hall.online.update(online)
        if hall.match().status == "active":
            came |= online
        hall.look(seconds)
        if hall.match().status == "active" and player and player not in hall.match().gone:
            came.add(player)
            if points == 0:
                hall.resign(player)
            elif (
                hall.match().turns[player] < 2
                and not hall.match().standing(hall.states.now).time_is_up
            ):
                hall.score(player, points)
    hall.online.clear()
    # As the alarms would ring.
    for _ in range(10):
        if hall.match().status == "active":
            hall.look()
            due = hall.due().get(STREAM)
            assert hall.match().status != "active" or due is not None
            hall.states.now = max(hall.states.now, due or hall.states.now)

    status, winner = ended(hall)
    assert status != "active"
    assert winner is None or winner in came
    rated = [event.data for event in hall.events if event.stream.startswith("user/")]
    assert status == "completed" or not any(kind == "Rated" for kind in kinds(rated))


def test_what_is_written_of_presence_is_what_has_changed(hall: Hall) -> None:
    hall.start()

    assert hall.look() == []
    hall.online.discard("ann")
    assert hall.look(1)[0] == e.Dropped("ann")
    hall.online.add("ann")
    assert hall.look(1)[0] == e.Returned("ann")
    assert hall.look(WEEK) == []
