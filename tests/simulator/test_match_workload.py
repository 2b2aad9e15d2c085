"""Users who play matches, and checks that see when something is wrong with them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from hubbub.simulator import Evidence
from hubbub.simulator.match_workload import MatchWorkload
from tests.event_loop import Backend
from tests.simulator.recorded import doctored, recorded

Events = list[dict[str, Any]]


@pytest.fixture(scope="module")
def played(backend: Backend) -> tuple[MatchWorkload, Evidence]:
    """Play for ten minutes in which nothing goes wrong."""
    workload = MatchWorkload()
    return workload, recorded(lambda provider: workload, backend, 1, faults=0)


@pytest.mark.parametrize("seed", [2, 3])
def test_no_promise_is_broken_whatever_goes_wrong(seed: int, backend: Backend) -> None:
    workload = MatchWorkload(steady=False)
    evidence = recorded(lambda provider: workload, backend, seed)

    assert sum(event["type"] == "scored" for event in evidence.order) > 20


def test_a_run_has_ends_of_every_kind(played: tuple[MatchWorkload, Evidence]) -> None:
    types = {event["type"] for event in played[1].order}

    assert {"completed", "scored", "dropped", "returned", "forfeited"} <= types


def _first(events: Events, *types: str) -> int:
    return next(at for at, event in enumerate(events) if event["type"] in types)


def _won(events: Events) -> int:
    """Return the place of the end of a match that somebody has won by points."""
    return next(
        at
        for at, event in enumerate(events)
        if event.get("winner") and any(event["scores"].values())
    )


def _end_twice(events: Events) -> None:
    end = _won(events)
    events.insert(end + 1, dict(events[end]))


def _score_after_the_end(events: Events) -> None:
    end = events[_won(events)]
    score = next(one for one in events if one["type"] == "scored" and _same(one, end))
    events.append(dict(score))


def _same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return bool(one["stream"] == other["stream"])


def _lose_a_score(events: Events) -> None:
    del events[_first(events, "scored")]


def _score_for_an_outsider(events: Events) -> None:
    events[_first(events, "scored")]["player"] = "mallory"


def _score_twice(events: Events) -> None:
    at = _first(events, "scored")
    events.insert(at, dict(events[at]))


def _add_up_wrong(events: Events) -> None:
    scores = events[_won(events)]["scores"]
    scores[next(iter(scores))] += 1


def _let_the_other_win(events: Events) -> None:
    end = events[_won(events)]
    end["winner"] = next(player for player in end["scores"] if player != end["winner"])


def _lose_the_win(events: Events) -> None:
    at = _won(events)
    del events[at + _first(events[at:], "submitted")]


def _win_twice(events: Events) -> None:
    at = _won(events)
    at += _first(events[at:], "submitted")
    events.append(dict(events[at]))


def _forget_the_schedule(events: Events) -> None:
    at = _won(events)
    del events[at + _first(events[at:], "settled")]


def _lose_a_match(events: Events) -> None:
    stream = events[_first(events, "started")]["stream"]
    events[:] = [event for event in events if event["stream"] != stream]


def _forfeit_early(events: Events) -> None:
    at = _first(events, "forfeited")
    dropped = [one for one in events[:at] if one["type"] == "dropped" and _same(one, events[at])]
    dropped[-1]["at"] = events[at]["at"]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (_end_twice, "is completed after its end"),
        (_score_after_the_end, "is scored after its end"),
        (_lose_a_score, "has lost the score"),
        (_score_for_an_outsider, "has a score of mallory"),
        (_score_twice, "2 times"),
        (_add_up_wrong, "was scored"),
        (_let_the_other_win, "is won by"),
        (_lose_the_win, "ended without the event submitted of board/"),
        (_win_twice, "points on"),
        (_forget_the_schedule, "ended without the event settled of agenda/matches"),
        (_lose_a_match, "was acknowledged, and is not there"),
        (_forfeit_early, "forfeit, who has not been away for long"),
    ],
)
def test_what_is_wrong_with_a_match_is_named(
    played: tuple[MatchWorkload, Evidence], change: Callable[[Events], None], says: str
) -> None:
    workload, evidence = played

    assert not list(workload.broken(evidence))
    assert any(says in line for line in workload.broken(doctored(evidence, change)))


def test_a_score_that_was_refused_is_not_there(played: tuple[MatchWorkload, Evidence]) -> None:
    workload, evidence = played
    match = next(one for one, scores in workload.books.acknowledged.items() if scores)
    score = next(iter(workload.books.acknowledged[match]))
    workload.books.refused[match].add(score)
    try:
        assert any("was refused" in line for line in workload.broken(evidence))
    finally:
        workload.books.refused[match].remove(score)


def test_a_player_who_is_taken_for_absent_is_missing(
    played: tuple[MatchWorkload, Evidence],
) -> None:
    workload, evidence = played

    def forget(events: Events) -> None:
        at = _first(events, "dropped") + 1
        match = events[at - 1]["stream"]
        events[:] = events[:at] + [one for one in events[at:] if one["stream"] != match]

    assert any("for absent" in line for line in workload.missing(doctored(evidence, forget)))


def test_a_match_whose_time_is_up_is_missing(played: tuple[MatchWorkload, Evidence]) -> None:
    workload, evidence = played

    def go_on(events: Events) -> None:
        timed = {one["stream"] for one in events if one.get("rules", {}).get("seconds")}
        events[:] = [
            one
            for one in events
            if one["stream"] not in timed or one["type"] not in ("completed", "cancelled")
        ]

    assert any("has not ended" in line for line in workload.missing(doctored(evidence, go_on)))
