"""The checks of matches that a game runs."""

from __future__ import annotations

from typing import Any

import pytest

from hubbub.simulator import Evidence, PlannedFault, RunOptions, run_seed
from hubbub.simulator import run as run_module
from hubbub.simulator.realtime_workload import REALTIME, RealtimeWorkload, is_realtime
from tests.event_loop import Backend

STARTED = {"type": "started", "game": REALTIME}
CLAIMED = {"type": "match_claimed", "node": "other"}
COMPLETED = {"type": "completed"}


def told(run: int, **more: Any) -> dict[str, Any]:
    return {"type": "told", "body": {"run": run, **more}}


def evidence(*events: dict[str, Any]) -> Evidence:
    return Evidence({"match/m": [STARTED, *events]}, [], [])


def broken(*events: dict[str, Any], acknowledged: tuple[str, ...] = ()) -> list[str]:
    workload = RealtimeWorkload()
    workload.acknowledged["m"].update(acknowledged)
    return list(workload.broken(evidence(*events)))


def test_one_run_may_follow_another() -> None:
    assert broken(told(1), told(1, tick=1), told(2), CLAIMED, told(3), COMPLETED) == []


@pytest.mark.parametrize(
    "events",
    [(told(1), told(2), told(1)), (told(1), CLAIMED, told(1))],
    ids=["two runs at the same time", "a run after another claim"],
)
def test_a_run_that_is_over_tells_nothing(events: tuple[dict[str, Any], ...]) -> None:
    (line,) = broken(*events)

    assert line.endswith("from a run that was over.")


def test_what_was_acknowledged_is_there() -> None:
    assert broken(told(1, said="a"), acknowledged=("a",)) == []
    assert broken(told(1, said="a"), acknowledged=("a", "b")) == [
        "match/m has lost 'b', which its game has acknowledged."
    ]


def test_a_match_ends() -> None:
    assert len(list(RealtimeWorkload().missing(evidence(told(1))))) == 1
    assert list(RealtimeWorkload().missing(evidence(told(1), COMPLETED))) == []


def test_other_matches_are_none_of_it() -> None:
    assert not is_realtime([{"type": "started"}])
    assert not is_realtime([])


def test_no_promise_is_broken_whatever_goes_wrong(
    backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    workload = RealtimeWorkload()
    monkeypatch.setattr(run_module, "SQLITE_CHANCE", 0.0)
    monkeypatch.setattr(run_module, "_drawn", lambda random, provider, **more: [workload])
    options = RunOptions(
        backend=backend, hours=0.05, fault_seconds=30.0, action_seconds=5.0, nodes=1
    )
    run_seed(2, options, [PlannedFault(60.0, "crash", 2.0, 0), PlannedFault(90.0, "cut", 0.0, 1)])

    assert any(workload.acknowledged.values())
