"""Users who sign in and out, and checks that see when a sign-out does not count."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from hubbub.server.gateway import Gateway
from hubbub.simulator import Broken, Evidence, PlannedFault, RunOptions, run_seed
from hubbub.simulator import run as run_module
from hubbub.simulator.sign_in_calls import CallOutcome
from hubbub.simulator.sign_out_workload import SignInBooks, SignOutWorkload
from hubbub.users import commands
from tests.event_loop import Backend

# The claims are {"sid": "s"}.
ANSWER = CallOutcome(True, "", "header.eyJzaWQiOiJzIn0.signature", "refresh")
BEGUN = {"type": "registered", "session": "s"}
USED = {"type": "signed_in", "session": "s"}
OUT = {"type": "signed_out", "session": "s"}
OTHER_OUT = {"type": "signed_out", "session": "other"}
ALL_OUT = {"type": "signed_out_everywhere"}

Events = Sequence[dict[str, Any]]


def run(
    backend: Backend,
    patch: pytest.MonkeyPatch,
    seed: int = 1,
    plan: Sequence[PlannedFault] | None = None,
    nodes: int = 2,
) -> SignOutWorkload:
    """Let users do nothing but sign in and out for some minutes."""
    workload = SignOutWorkload()
    patch.setattr(run_module, "SQLITE_CHANCE", 0.0)
    patch.setattr(run_module, "_drawn", lambda random, provider, **more: [workload])
    options = RunOptions(
        backend=backend, hours=0.04, fault_seconds=20.0, action_seconds=5.0, nodes=nodes
    )
    run_seed(seed, options, plan)
    return workload


def failing(backend: Backend, patch: pytest.MonkeyPatch) -> str:
    with pytest.raises(ExceptionGroup) as failed:
        run(backend, patch, plan=(), nodes=1)
    error: BaseException = failed.value
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    assert isinstance(error, Broken)
    return str(error)


@pytest.mark.parametrize("nodes", [1, 2])
def test_no_promise_is_broken_whatever_goes_wrong(
    nodes: int, backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    workload = run(backend, monkeypatch, seed=3, nodes=nodes)
    sign_ins = [one for each in workload.sign_ins.values() for one in each]

    assert {"everywhere", "of one sign-in", ""} <= {one.ended for one in sign_ins}
    assert any(len(one.refused_at) == nodes for one in sign_ins)


def test_a_token_that_passes_after_its_sign_out_is_told(
    backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin = commands.begin_session

    def forgive(
        states: Any, by: str, nickname: Any, reference: Any, *more: Any, **rest: Any
    ) -> Any:
        if not reference.fresh:
            reference = msgspec.structs.replace(reference, session=None)
        return begin(states, by, nickname, reference, *more, **rest)

    monkeypatch.setattr(commands, "begin_session", forgive)

    assert "accepts a token of before" in failing(backend, monkeypatch)


def test_a_sign_out_that_ends_other_sign_ins_is_told(
    backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    def everywhere(states: Any, by: str, session: Any, good_for: float) -> Any:
        return commands.sign_out_everywhere(states, by)

    monkeypatch.setattr(commands, "sign_out", everywhere)

    assert "has not signed out of a sign-in, and is refused" in failing(backend, monkeypatch)


def test_a_connection_that_outlives_its_sign_out_is_told(
    backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Gateway, "_end_sign_ins", lambda self, events: None)

    assert "is still connected" in failing(backend, monkeypatch)


def books(ended: str = "", *, sure: bool = True) -> SignOutWorkload:
    workload = SignOutWorkload()
    one = SignInBooks(ANSWER, sure=sure)
    one.ended = ended
    workload.sign_ins["v1"].append(one)
    return workload


@pytest.mark.parametrize("events", [(BEGUN, USED, OUT), (BEGUN, ALL_OUT)], ids=["one", "all"])
def test_a_sign_out_is_in_the_journal(events: Events) -> None:
    evidence = Evidence({"user/v1": events}, [], [])

    assert list(books("of one sign-in").broken(evidence)) == []


@pytest.mark.parametrize(
    "events", [(BEGUN, OTHER_OUT), (BEGUN, OUT, USED)], ids=["another", "used after it"]
)
def test_a_sign_out_that_is_lost_is_told(events: Events) -> None:
    (line,) = books("of one sign-in").broken(Evidence({"user/v1": events}, [], []))

    assert line == "v1 has signed out of one sign-in, which is not in the journal."


def test_a_sign_in_goes_on_without_a_sign_out() -> None:
    assert list(books().broken(Evidence({"user/v1": (BEGUN,)}, [], []))) == []
