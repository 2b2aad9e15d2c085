"""Matches against the books of their players."""

from __future__ import annotations

from typing import Any

import pytest

from hubbub.journal.shards import stream_shard
from hubbub.simulator import Evidence
from hubbub.simulator.match_books import MatchBooks
from hubbub.simulator.match_evidence import WIN_POINTS, broken_matches, unfinished_matches

AT = "2026-01-01T00:00:00+00:00"


def event(stream: str, type_: str, by: str = "ann", **more: Any) -> dict[str, Any]:
    return {"stream": stream, "type": type_, "by": by, "at": AT, **more}


def won(**started: Any) -> list[dict[str, Any]]:
    """Return the events of a match that ann wins."""
    begun: dict[str, Any] = {
        "players": ["ann", "bob"],
        "rules": {"type": "first_to", "points": 20},
        "board": "wins",
        "private": True,
        "keys": {},
        "present": ["ann", "bob"],
    }
    match = "match/m1"
    return [
        event(match, "started", **{**begun, **started}),
        event(match, "scored", player="ann", points=20),
        event(match, "completed", winner="ann", scores={"ann": 20, "bob": 0}),
        event(stream_shard("agenda/matches", match), "settled", to=match),
        event("user/ann", "unlinked", to=match),
        event("user/bob", "unlinked", to=match),
        event("board/wins", "submitted", user="ann", score=WIN_POINTS),
    ]


def books() -> MatchBooks:
    known = MatchBooks()
    known.starts["ann"] = 1
    known.tried["m1"].add(("ann", 20))
    known.acknowledged["m1"].add(("ann", 20))
    return known


def evidence(events: list[dict[str, Any]]) -> Evidence:
    streams: dict[str, list[dict[str, Any]]] = {}
    for one in events:
        streams.setdefault(one["stream"], []).append(one)
    return Evidence(streams, events, [])


def broken(known: MatchBooks, events: list[dict[str, Any]]) -> list[str]:
    return list(broken_matches(known, evidence(events), steady=True))


def test_nothing_is_wrong_with_a_match_that_is_won() -> None:
    assert broken(books(), won()) == []


def test_a_match_that_nobody_started_is_named() -> None:
    known = books()
    known.starts.clear()

    assert broken(known, won()) == ["ann has started 1 matches, and tried 0."]


def test_a_search_that_finds_another_match_is_named() -> None:
    known = books()
    known.searches["ann"].add("k1")
    known.found["m1", "ann"] = "k2"

    assert any("to another search" in line for line in broken(known, won(keys={"ann": "k1"})))


def test_ratings_change_only_for_opponents_that_were_found() -> None:
    events = [*won(), event("user/ann", "rated"), event("user/bob", "rated")]

    assert broken(books(), events) == ["m1 has changed 2 ratings."]


def test_a_crash_between_the_end_and_the_points_is_named() -> None:
    events = won()
    events.insert(6, event("room/1", "message"))

    assert any("without the event submitted" in line for line in broken(books(), events))


def test_a_resignation_that_is_lost_is_named() -> None:
    known = books()
    known.left["m1"].add("bob")

    assert broken(known, won()) == ["bob has resigned from m1, and still plays in it."]


@pytest.mark.parametrize("steady", [True, False])
def test_a_match_by_the_clock_must_end_if_the_clock_is_right(steady: bool) -> None:
    events = won(rules={"type": "timed", "seconds": 30.0})[:1]
    missing = list(unfinished_matches(evidence(events), steady=steady))

    assert missing == (["The time of m1 is up, and it has not ended."] if steady else [])
