"""Users of leaderboards, and checks that see when something is wrong with one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from hubbub.games.boards.board import Entry
from hubbub.simulator import Evidence
from hubbub.simulator.board_workload import BoardWorkload
from tests.event_loop import Backend
from tests.simulator.recorded import doctored, recorded

Events = list[dict[str, Any]]


@pytest.fixture(scope="module")
def competed(backend: Backend) -> tuple[BoardWorkload, Evidence]:
    """Compete for ten minutes in which things go wrong."""
    workload = BoardWorkload()
    return workload, recorded(lambda provider: workload, backend, 1)


def _last(events: Events, board: str) -> dict[str, Any]:
    return next(
        event
        for event in reversed(events)
        if event["stream"] == f"board/{board}" and event["type"] == "submitted"
    )


def _lose(events: Events) -> None:
    events.remove(_last(events, "total"))


def _double(events: Events) -> None:
    events.append(dict(_last(events, "total")))


def _change(events: Events) -> None:
    _last(events, "newest")["score"] = 12_345


@pytest.mark.parametrize(
    ("change", "says"),
    [(_lose, "does not count"), (_double, "twice"), (_change, "nobody has submitted")],
)
def test_what_is_wrong_with_a_board_is_named(
    competed: tuple[BoardWorkload, Evidence], change: Callable[[Events], None], says: str
) -> None:
    workload, evidence = competed

    assert not list(workload.broken(evidence))
    assert not list(workload.missing(evidence))
    assert any(says in line for line in workload.broken(doctored(evidence, change)))


def entry(user: str, rank: int, score: float = 1.0) -> Entry:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    return Entry("total", user, user, score, rank, at, cursor=f"/{user} {score}")


@pytest.mark.parametrize(
    ("pages", "right"),
    [
        ([[entry("ann", 1)], [entry("bob", 2)]], True),
        ([[entry("ann", 1)], []], False),
        ([[entry("ann", 1)], [entry("ann", 2)], [entry("bob", 3)]], False),
        ([[entry("ann", 1), entry("bob", 3)]], False),
    ],
)
def test_pages_neither_repeat_nor_skip(pages: list[list[Entry]], right: bool) -> None:
    workload, whole = BoardWorkload(), [entry("ann", 1), entry("bob", 2)]
    workload.check_pages(whole, pages, whole)

    assert (not workload.complaints) == right


def test_a_user_whose_score_changes_may_be_on_two_pages() -> None:
    workload = BoardWorkload()
    before, after = [entry("ann", 1)], [entry("ann", 1, 2.0)]
    workload.check_pages(before, [before, after], after)

    assert not workload.complaints
