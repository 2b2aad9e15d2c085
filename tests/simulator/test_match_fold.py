"""The fold of a match, and what it finds wrong."""

from __future__ import annotations

from typing import Any

import pytest

from hubbub.simulator.match_fold import GRACE_SECONDS, MatchFold

STARTED = {
    "type": "started",
    "players": ["ann", "bob"],
    "rules": {"type": "first_to", "points": 20},
    "board": "main",
    "private": False,
    "keys": {},
    "present": ["ann", "bob"],
    "asked": False,
    "by": "ann",
}


def scored(player: str, points: int) -> dict[str, Any]:
    return {"type": "scored", "player": player, "points": points, "by": player}


def completed(winner: str | None, ann: int, bob: int) -> dict[str, Any]:
    scores = {"ann": ann, "bob": bob}
    return {"type": "completed", "winner": winner, "scores": scores, "by": "/hub"}


CANCELLED = {"type": "cancelled", "reason": "", "by": "/hub"}
RESIGNED = {"type": "resigned", "by": "bob"}


def broken(*events: dict[str, Any], seconds: float = 1.0) -> list[str]:
    """Fold events that come one after another, some seconds apart."""
    fold = MatchFold("m1", steady=True)
    for number, event in enumerate((STARTED, *events)):
        minute, second = divmod(number * seconds, 60)
        fold.take(event | {"at": f"2026-01-01T00:{int(minute):02}:{second:09.6f}+00:00"})
    fold.close()
    return fold.broken


@pytest.mark.parametrize(
    "events",
    [
        [scored("ann", 11), scored("bob", 20), completed("bob", 11, 20)],
        [scored("ann", 11), RESIGNED, completed("ann", 11, 0)],
        [CANCELLED],
    ],
)
def test_a_match_that_ends_right_breaks_nothing(events: list[dict[str, Any]]) -> None:
    assert broken(*events) == []


@pytest.mark.parametrize(
    ("events", "says"),
    [
        ([scored("ann", 20)], "continues after somebody has won"),
        ([scored("ann", 20), scored("bob", 1)], "scored after somebody has won"),
        ([scored("bob", 1), scored("ann", 20), completed("bob", 20, 1)], "is won by bob"),
        ([scored("bob", 1), scored("ann", 20), completed("ann", 21, 1)], "was scored"),
        ([scored("ann", 20), completed("ann", 20, 0)], "who never joined"),
        ([RESIGNED, scored("bob", 1)], "who has left"),
        ([scored("bob", 1), CANCELLED], "could have won"),
        ([CANCELLED, scored("ann", 1)], "scored after its end"),
        ([STARTED], "has started twice"),
        ([scored("ann", 1) | {"by": "eve"}], "a score of ann by eve"),
        ([{"type": "forfeited", "player": "bob", "by": "/hub"}], "who has not been away"),
    ],
)
def test_what_is_wrong_is_named(events: list[dict[str, Any]], says: str) -> None:
    assert any(says in line for line in broken(*events))


def test_a_forfeit_comes_after_the_grace_period() -> None:
    dropped = {"type": "dropped", "player": "bob", "by": "/hub"}
    forfeited = {"type": "forfeited", "player": "bob", "by": "/hub"}

    assert broken(dropped, forfeited, seconds=GRACE_SECONDS - 1)
    assert not broken(dropped, forfeited, seconds=GRACE_SECONDS)


def test_a_match_by_the_clock_ends_when_its_time_is_up() -> None:
    timed = STARTED | {"rules": {"type": "timed", "seconds": 90.0}}

    def ends(seconds: int) -> list[str]:
        fold = MatchFold("m1", steady=True)
        fold.take(timed | {"at": "2026-01-01T00:00:00+00:00"})
        for player in ("ann", "bob"):
            fold.take(scored(player, 5) | {"at": "2026-01-01T00:00:01+00:00"})
        minute, second = divmod(seconds, 60)
        fold.take(completed(None, 5, 5) | {"at": f"2026-01-01T00:{minute:02}:{second:02}+00:00"})
        return fold.broken

    assert ends(90) == []
    assert ends(89) == ["m1 ends before its time is up."]
