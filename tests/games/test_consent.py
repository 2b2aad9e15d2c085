"""In a match that a user starts over a network, a player takes part only by acting."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET

from hubbub import FirstTo, NotAllowed, Rounds, Timed
from hubbub.games import events as e
from hubbub.games.boards.commands import Maker
from hubbub.games.matches import commands as decisions
from hubbub.games.matches.commands import Starter
from hubbub.games.matches.results import NOBODY_ACTED
from hubbub.games.matches.rules import AnyRules
from hubbub.journal.schedule import HUB
from hubbub.players import Rated
from tests.games.board_kit import table
from tests.games.match_kit import GRACE, PLAYERS, STREAM, Hall, kinds

ANN = Starter(Maker("ann", boards_max=9, all_max=9, season_seconds_min=60.0), matches_max=9)


@pytest.fixture
def hall() -> Hall:
    return Hall()


def start(hall: Hall, *players: str, **more: Any) -> None:
    """Let ann start a match over a network."""
    hall.start(*players, starter=ANN, **more)


def hear(hall: Hall, player: str) -> list[str]:
    """Let the match's game take a player's message."""
    return kinds(hall.do(lambda states: decisions.hear(states, STREAM, player), by=HUB))


def ended(hall: Hall) -> tuple[str, str | None]:
    return hall.match().status, hall.match().winner


def touched(hall: Hall) -> set[str]:
    """Return the players who were rated, rated against, or given points on a board."""
    found = set[str]()
    for event in hall.events:
        match event.data:
            case Rated(against=others):
                found |= {event.stream.removeprefix("user/"), *others}
            case e.Submitted(user):
                found.add(user)
    return found


def untouched(hall: Hall, *players: str) -> bool:
    """Tell whether nothing has changed for players: neither rating nor points."""
    return not touched(hall).intersection(players)


def test_nobody_wins_against_a_player_who_is_connected_and_was_not_asked(hall: Hall) -> None:
    start(hall, rules=FirstTo(10))
    hall.score("ann", 10)

    assert ended(hall) == ("cancelled", None)
    assert hall.match().reason == NOBODY_ACTED
    assert untouched(hall, "ann", "bob")


def test_a_player_who_has_scored_takes_part(hall: Hall) -> None:
    start(hall, rules=FirstTo(10))
    hall.score("bob", 1)
    hall.score("ann", 10)

    assert ended(hall) == ("completed", "ann")
    assert touched(hall) == {"ann"}
    assert table(hall.board("board/main")) == [(1, "ann", 10)]


def test_the_score_that_wins_is_an_act_too(hall: Hall) -> None:
    start(hall, rules=FirstTo(10))
    hall.score("bob", 10)

    assert ended(hall) == ("completed", "bob")


def test_a_player_who_resigns_has_acted(hall: Hall) -> None:
    start(hall)
    hall.resign("bob")

    assert ended(hall) == ("completed", "ann")


def test_a_player_whom_the_game_has_heard_takes_part(hall: Hall) -> None:
    start(hall, rules=FirstTo(10), game="default", referee=HUB)

    assert hear(hall, "bob") == ["Returned"]
    hall.score(HUB, 10, player="ann")
    assert ended(hall) == ("completed", "ann")


def test_points_that_a_game_gives_are_no_act_of_the_player(hall: Hall) -> None:
    start(hall, rules=FirstTo(10), game="default", referee=HUB)
    hall.score(HUB, 1, player="bob")
    hall.score(HUB, 10, player="ann")

    assert ended(hall) == ("cancelled", None)
    assert untouched(hall, "ann", "bob")


def test_a_referee_whom_a_player_names_does_not_answer_for_the_others(hall: Hall) -> None:
    for number, (referee, winner) in enumerate((("cid", "ann"), ("cid", "bob"), ("ann", "ann"))):
        stream = f"match/{number}"
        start(hall, rules=FirstTo(10), referee=referee, stream=stream)
        hall.score(referee, 10, player=winner, stream=stream)

        assert hall.match(stream).status == "cancelled"
    assert untouched(hall, *PLAYERS)


def test_a_player_who_is_the_referee_and_scores_has_acted(hall: Hall) -> None:
    start(hall, rules=FirstTo(10), referee="bob")
    hall.score("bob", 10, player="ann")

    assert ended(hall) == ("completed", "ann")


def test_a_message_is_noted_once_and_only_of_those_who_were_not_asked(hall: Hall) -> None:
    start(hall)

    assert hear(hall, "ann") == []
    assert hear(hall, "bob") == ["Returned"]
    assert hear(hall, "bob") == []


def test_nothing_is_noted_of_a_match_that_the_application_starts_or_that_is_over(
    hall: Hall,
) -> None:
    hall.start()
    assert hear(hall, "bob") == []

    start(hall, stream="match/2")
    hall.resign("ann", stream="match/2")
    over = hall.do(lambda states: decisions.hear(states, "match/2", "bob"), by=HUB)
    assert over == []


def test_a_message_says_nothing_of_connections(hall: Hall) -> None:
    start(hall)
    hall.online.discard("bob")
    hall.look()
    hear(hall, "bob")

    assert set(hall.match().dropped) == {"bob"}


def test_it_ends_when_the_player_who_is_left_was_not_asked(hall: Hall) -> None:
    start(hall)
    hall.resign("ann")

    assert ended(hall) == ("cancelled", None)
    assert untouched(hall, "ann", "bob")


def test_it_ends_when_the_starter_is_gone_for_too_long(hall: Hall) -> None:
    start(hall)
    hall.online.discard("ann")
    hall.look()
    hall.look(GRACE.total_seconds())

    assert ended(hall) == ("cancelled", None)
    assert untouched(hall, "ann", "bob")


def test_a_player_who_was_not_asked_forfeits_nothing(hall: Hall) -> None:
    start(hall)
    hall.online.discard("bob")
    hall.look()
    hall.look(GRACE.total_seconds())

    assert ended(hall) == ("cancelled", None)
    assert untouched(hall, "ann", "bob")


def test_of_three_those_are_rated_who_took_part(hall: Hall) -> None:
    start(hall, *PLAYERS, rules=FirstTo(10), game="default", referee=HUB)
    hear(hall, "bob")
    hall.score(HUB, 10, player="ann")

    assert ended(hall) == ("completed", "ann")
    assert hall.user("ann").rating > 1_500 > hall.user("bob").rating
    assert untouched(hall, "cid")


def test_a_user_starts_only_matches_of_their_own(hall: Hall) -> None:
    for referee in (None, "ann"):
        with pytest.raises(NotAllowed, match="add yourself"):
            start(hall, "bob", "cid", referee=referee)

    assert hall.match().started_at is None


# Whatever happens

rules: st.SearchStrategy[AnyRules] = st.sampled_from([FirstTo(9), Rounds(2), Timed(40.0)])
referees = st.sampled_from([None, None, HUB, *PLAYERS, "dan"])
acts = st.sampled_from(["score", "score", "score", "resign", "hear", "finish"])
steps = st.lists(
    st.tuples(
        acts,
        st.sampled_from(PLAYERS),
        st.sampled_from(PLAYERS),
        st.integers(1, 9),
        st.integers(0, 40),
        st.frozensets(st.sampled_from(PLAYERS)),
    ),
    max_size=20,
)


def act(hall: Hall, what: str, by: str, player: str, points: int) -> str | None:
    """Do one thing if the match permits it; return the player who has acted."""
    match = hall.match()
    if match.status != "active" or by in match.gone:
        return None
    if what == "hear":
        hear(hall, by)
        return by
    if what == "resign":
        hall.resign(by)
        return by
    if what == "finish":
        # By the application's game, whoever the referee is.
        hall.do(lambda states: decisions.finish(states, STREAM, by, hall.terms), by=HUB)
        return None
    scorer, to = (by, by) if match.referee is None else (match.referee, player)
    over = match.standing(hall.states.now).time_is_up
    if to in match.gone or match.turns[to] >= 2 or over:
        return None
    hall.score(scorer, points, player=to)
    return scorer


@given(rules, referees, steps)
def test_nothing_changes_for_or_through_a_player_who_never_acted(
    made: AnyRules,
    referee: str | None,
    taken: list[tuple[str, str, str, int, int, frozenset[str]]],
) -> None:
    hall, acted = Hall(), {"ann"}
    start(hall, *PLAYERS, rules=made, referee=referee)
    for what, by, player, points, seconds, online in taken:
        hall.online.clear()
        hall.online.update(online)
        hall.look(seconds)
        if (one := act(hall, what, by, player, points)) is not None:
            acted.add(one)

    silent = set(PLAYERS) - acted
    assert untouched(hall, *silent)
    assert hall.match().winner not in silent
    if len(silent) == 2:
        assert untouched(hall, *PLAYERS)
        assert hall.match().status != "completed"


def test_a_match_without_the_new_field_is_one_of_players_who_were_asked(hall: Hall) -> None:
    hall.start()

    assert e.Started(["ann", "bob"], FirstTo(), "main").asked is UNSET
    assert hall.match().asked
    assert hall.match().silent() == set()
