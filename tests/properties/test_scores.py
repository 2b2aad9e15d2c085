"""Whatever anybody does in whatever order: a match has one end, and the points add up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubbub.errors import Conflict, HubbubError
from hubbub.games.events import Completed, Forfeited, MatchCancelled, Scored
from hubbub.games.matches.rules import AnyRules, FirstTo
from hubbub.journal.event import Event
from tests.games.board_kit import table
from tests.games.match_kit import PLAYERS, STREAM, Hall
from tests.properties.match_streams import rules

# Who does what in which match: points, or None to give up.
Act = tuple[int, str, int | None]

acts: st.SearchStrategy[list[Act]] = st.lists(
    st.tuples(
        st.integers(0, 2),
        st.sampled_from([*PLAYERS, "eve"]),
        st.one_of(st.integers(-1, 9), st.integers(1, 9), st.none()),
    ),
    max_size=60,
)


# Who is connected so many seconds after the look before, and what is done then.
looks: st.SearchStrategy[list[tuple[frozenset[str], int, Act]]] = st.lists(
    st.tuples(
        st.frozensets(st.sampled_from(PLAYERS)),
        st.integers(0, 40),
        st.tuples(st.just(1), st.sampled_from(PLAYERS), st.integers(1, 3) | st.none()),
    ),
    max_size=30,
)


def play_all(made: AnyRules, acted: Sequence[Act]) -> tuple[Hall, list[Act]]:
    """Start three matches and do one thing after another; return what was accepted, too."""
    hall, accepted = Hall(), list[Act]()
    for number in range(3):
        hall.start(*PLAYERS, rules=made, stream=f"match/{number}")
    for number, by, points in acted:
        stream, before = f"match/{number}", len(hall.events)
        with suppress(HubbubError):
            if points is None:
                hall.resign(by, stream)
            else:
                hall.score(by, points, stream=stream)
        if len(hall.events) > before:
            accepted.append((number, by, points))
    return hall, accepted


def events_of(hall: Hall, stream: str) -> list[Event]:
    return [event for event in hall.events if event.stream == stream]


def ends_of(hall: Hall, stream: str) -> list[Completed | MatchCancelled]:
    happened = [event.data for event in events_of(hall, stream)]
    return [data for data in happened if isinstance(data, Completed | MatchCancelled)]


@given(rules, acts)
def test_a_match_ends_once_and_nothing_happens_after_that(made: AnyRules, acted: list[Act]) -> None:
    hall, _ = play_all(made, acted)

    for number in range(3):
        ends = ends_of(hall, f"match/{number}")
        assert len(ends) <= 1
        if ends:
            assert events_of(hall, f"match/{number}")[-1].data is ends[0]


@given(rules, acts)
def test_the_points_of_the_events_are_the_scores(made: AnyRules, acted: list[Act]) -> None:
    hall, _ = play_all(made, acted)

    for number in range(3):
        stream, points = f"match/{number}", Counter[str]()
        for event in events_of(hall, stream):
            if isinstance(event.data, Scored):
                points[event.data.player] += event.data.points
        scores = hall.match(stream).scores
        assert scores == {player: points[player] for player in PLAYERS}
        for end in ends_of(hall, stream):
            assert not isinstance(end, Completed) or end.scores == scores


@given(st.integers(1, 30), acts)
def test_the_one_winner_is_the_first_to_get_there(points: int, acted: list[Act]) -> None:
    hall, _ = play_all(FirstTo(points), acted)

    for number in range(3):
        stream, match = f"match/{number}", hall.match(f"match/{number}")
        there = [player for player, score in match.scores.items() if score >= points]
        assert len(there) <= 1
        if there:
            assert match.winner == there[0]
        elif match.status == "completed":
            assert len(match.gone) == len(PLAYERS) - 1
            assert match.winner not in match.gone
        assert (match.status != "active") == bool(ends_of(hall, stream))


@given(rules, acts)
def test_what_was_refused_has_changed_nothing(made: AnyRules, acted: list[Act]) -> None:
    hall, accepted = play_all(made, acted)
    serial, again = play_all(made, accepted)

    assert again == accepted
    assert serial.events == hall.events


@given(rules, acts)
def test_the_board_is_the_fold_of_the_completed_matches(made: AnyRules, acted: list[Act]) -> None:
    hall, _ = play_all(made, acted)
    wins = Counter(
        end.winner
        for number in range(3)
        for end in ends_of(hall, f"match/{number}")
        if isinstance(end, Completed) and end.winner is not None
    )

    board = {user: score for _, user, score in table(hall.board("board/main"))}
    assert board == {user: 10 * count for user, count in wins.items()}


@given(rules, looks)
def test_a_match_that_players_drop_out_of_has_one_end_too(
    made: AnyRules, looked: list[tuple[frozenset[str], int, Act]]
) -> None:
    hall = Hall()
    hall.start(*PLAYERS, rules=made)
    for online, seconds, (_, by, points) in looked:
        hall.online.clear()
        hall.online.update(online)
        hall.look(seconds)
        with suppress(HubbubError):
            hall.resign(by) if points is None else hall.score(by, points)

    match, ends = hall.match(), ends_of(hall, STREAM)
    forfeited = [d.player for event in hall.events if isinstance(d := event.data, Forfeited)]
    assert len(set(match.gone)) == len(match.gone)
    assert set(forfeited) <= set(match.gone)
    assert (match.status != "active") == (len(ends) == 1)
    if ends:
        assert events_of(hall, STREAM)[-1].data is ends[0]
        assert match.winner not in match.gone
        assert hall.due() == {}
        assert not any(STREAM in hall.user(player).links for player in PLAYERS)


@given(rules, acts, st.sampled_from(PLAYERS), st.integers(1, 9))
def test_no_score_is_taken_after_the_end(
    made: AnyRules, acted: list[Act], by: str, points: int
) -> None:
    hall, _ = play_all(made, acted)
    for number in range(3):
        stream, before = f"match/{number}", len(hall.events)
        if ends_of(hall, stream):
            with pytest.raises(Conflict):
                hall.score(by, points, stream=stream)
            assert len(hall.events) == before
