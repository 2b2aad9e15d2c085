from __future__ import annotations

from typing import Any

import pytest

from hubbub import Conflict, Invalid
from hubbub.games.matches.rules import (
    POINTS_MAX,
    ROUNDS_MAX,
    SECONDS_MAX,
    AnyRules,
    BestOf,
    Custom,
    FirstTo,
    Outcome,
    Rounds,
    Rules,
    Standing,
    Timed,
    check_rules,
    leader,
)


def standing(turns: dict[str, int] | None = None, time: bool = False, **scores: int) -> Standing:
    return Standing(list(scores), scores, turns or dict.fromkeys(scores, 1), time)


WON, DRAWN = Outcome("ann"), Outcome(None)


@pytest.mark.parametrize(
    ("rules", "now", "outcome"),
    [
        (FirstTo(10), standing(ann=9, bob=0), None),
        (FirstTo(10), standing(ann=10, bob=9), WON),
        (FirstTo(10), standing(bob=3, ann=12), WON),
        (BestOf(3), standing(ann=1, bob=1), None),
        (BestOf(3), standing({"ann": 2, "bob": 0}, ann=2, bob=0), WON),
        (BestOf(4), standing({"ann": 2, "bob": 1}, ann=2, bob=1), None),
        (BestOf(4), standing({"ann": 2, "bob": 2}, ann=2, bob=2), DRAWN),
        (BestOf(4), standing({"ann": 2, "bob": 1, "cid": 1}, ann=2, bob=1, cid=1), WON),
        (Timed(60.0), standing(ann=9, bob=0), None),
        (Timed(60.0), standing(time=True, ann=9, bob=0), WON),
        (Timed(60.0), standing(time=True, ann=9, bob=9), DRAWN),
        (Rounds(2), standing({"ann": 2, "bob": 1}, ann=9, bob=0), None),
        (Rounds(2), standing({"ann": 2, "bob": 2}, ann=9, bob=0), WON),
    ],
)
def test_rules_decide(rules: AnyRules, now: Standing, outcome: Outcome | None) -> None:
    assert rules.decide(now) == outcome


def test_only_those_who_are_still_in_it_can_win() -> None:
    without_bob = Standing(["ann", "cid"], {"ann": 3, "bob": 9, "cid": 1}, {}, True)

    assert leader(without_bob) == WON
    assert Timed(1.0).decide(without_bob) == WON


@pytest.mark.parametrize(
    ("rules", "points", "turns"),
    [
        (FirstTo(), 1, 0),
        (FirstTo(), POINTS_MAX, 10**6),
        (Timed(1.0), 1, 0),
        (Custom("golf"), 1, 0),
        (BestOf(3), 1, 2),
        (Rounds(2), 0, 1),
    ],
)
def test_a_turn_that_the_rules_permit(rules: AnyRules, points: int, turns: int) -> None:
    rules.check_turn(points, turns)


@pytest.mark.parametrize(
    ("rules", "points", "turns", "error"),
    [
        (FirstTo(), 0, 0, Invalid),
        (Timed(1.0), 0, 0, Invalid),
        (BestOf(3), 2, 0, Invalid),
        (BestOf(3), 0, 0, Invalid),
        (Rounds(2), -1, 0, Invalid),
        (Rounds(2), 0, 2, Conflict),
    ],
)
def test_a_turn_that_they_do_not(
    rules: AnyRules, points: int, turns: int, error: type[Exception]
) -> None:
    with pytest.raises(error):
        rules.check_turn(points, turns)


@pytest.mark.parametrize(
    "rules",
    [
        FirstTo(1),
        FirstTo(POINTS_MAX),
        BestOf(1),
        BestOf(ROUNDS_MAX),
        Rounds(ROUNDS_MAX),
        Timed(0.5),
        Timed(1),
        Timed(SECONDS_MAX),
        Custom("golf", {"holes": 18}),
    ],
)
def test_rules_within_their_limits(rules: AnyRules) -> None:
    assert check_rules(rules) is rules


@pytest.mark.parametrize(
    "rules",
    [
        FirstTo(0),
        FirstTo(POINTS_MAX + 1),
        FirstTo(True),
        FirstTo("10"),  # type: ignore[arg-type]
        FirstTo(1.5),  # type: ignore[arg-type]
        BestOf(0),
        BestOf(ROUNDS_MAX + 1),
        Rounds(0),
        Rounds(ROUNDS_MAX + 1),
        Timed(0.0),
        Timed(-1.0),
        Timed(SECONDS_MAX + 1),
        Timed(float("nan")),
        Timed(float("inf")),
        Timed("60"),  # type: ignore[arg-type]
        "first to 100",
        None,
    ],
)
def test_rules_outside_their_limits_are_refused(rules: Any) -> None:
    with pytest.raises(Invalid):
        check_rules(rules)


@pytest.mark.parametrize("rules", [FirstTo(10), BestOf(3), Rounds(3), Timed(60.0), Custom("golf")])
def test_what_goes_on_at_once_has_no_end(rules: AnyRules) -> None:
    for score in (0, 9, 10, 11):
        if rules.goes_on(score):
            assert rules.decide(standing(ann=score, bob=0)) is None


def test_only_a_timed_match_has_a_time() -> None:
    assert Timed(60.0).seconds_max == 60.0
    assert [rules.seconds_max for rules in (FirstTo(), BestOf(1), Rounds(1))] == [None] * 3


def test_the_base_decides_nothing() -> None:
    Rules().check()
    with pytest.raises(NotImplementedError):
        Rules().decide(standing(ann=0, bob=0))
