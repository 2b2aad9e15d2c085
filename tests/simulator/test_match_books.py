"""The books of players."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from hubbub.games.matches.match import Match
from hubbub.games.matches.rules import FirstTo
from hubbub.simulator.match_books import POINTS_LEAST, MatchBooks

RUNNING = Match(
    "m1",
    "match/m1",
    ["ann", "bob"],
    {"ann": 0, "bob": 0},
    "active",
    None,
    FirstTo(),
    datetime(2026, 1, 1, tzinfo=UTC),
    None,
    "main",
    None,
    False,
    None,
    [],
    None,
)
WON = msgspec.structs.replace(RUNNING, status="completed", winner="ann")


def test_a_match_runs_until_somebody_has_seen_its_end() -> None:
    books = MatchBooks()
    books.see(RUNNING)

    assert (books.running("ann"), books.running("eve")) == (["m1"], [])
    books.see(WON)
    assert books.running("ann") == []


def test_a_player_who_was_refused_plays_no_more() -> None:
    books = MatchBooks()
    books.see(RUNNING)
    books.close("m1", "ann")

    assert (books.running("ann"), books.running("bob")) == ([], ["m1"])


def test_an_answer_that_comes_late_opens_no_match_again() -> None:
    books = MatchBooks()
    books.see(WON)
    books.see(RUNNING)

    assert books.seen["m1"].status == "completed"
    assert not books.complaints


def test_two_ends_of_a_match_are_named() -> None:
    books = MatchBooks()
    books.see(WON)
    books.see(msgspec.structs.replace(WON, winner="bob"))

    assert "ended as" in books.complaints[0]


def test_no_two_scores_of_a_match_have_the_same_points() -> None:
    books = MatchBooks()
    first = books.new_points("m1")
    books.tried["m1"].add(("ann", first))

    assert (first, books.new_points("m1")) == (POINTS_LEAST, POINTS_LEAST + 1)
