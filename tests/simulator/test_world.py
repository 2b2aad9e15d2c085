"""The checks at the end of a run."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from hubbub.session import Session
from hubbub.simulator import Broken, Evidence, RunOptions, run_seed
from hubbub.simulator.client import Client
from hubbub.simulator.world import NAMED_MAX, SETTLE_SECONDS_MAX
from tests.event_loop import Backend


class Idle:
    """Users who do nothing, and promises that a test sets."""

    name = "idle"
    is_missing = False
    is_broken = 0

    async def prepare(self, admin: Session) -> None:
        pass

    async def begin(self, client: Client) -> None:
        pass

    async def follow(self, client: Client) -> None:
        pass

    async def act(self, client: Client) -> None:
        pass

    def missing(self, evidence: Evidence) -> Iterator[str]:
        if self.is_missing:
            yield "something is missing"

    def broken(self, evidence: Evidence) -> Iterator[str]:
        for number in range(self.is_broken):
            yield f"promise {number} is broken"


class Missing(Idle):
    is_missing = True


class Liar(Idle):
    is_broken = NAMED_MAX + 3


def run(backend: Backend, workload: type[Idle]) -> str:
    options = RunOptions(
        backend=backend, hours=0.02, clients=2, fault_seconds=0, nodes=1, workloads=[workload]
    )
    with pytest.raises(ExceptionGroup) as failed:
        run_seed(1, options)
    (error,) = failed.value.exceptions
    assert isinstance(error, Broken)
    return str(error)


def test_what_does_not_come_true_in_time_is_named(backend: Backend) -> None:
    assert run(backend, Missing) == (
        f"After {SETTLE_SECONDS_MAX:.0f} quiet seconds: something is missing"
    )


def test_broken_promises_are_named_up_to_a_number(backend: Backend) -> None:
    lines = run(backend, Liar).splitlines()

    assert lines[0] == "promise 0 is broken"
    assert len(lines) == NAMED_MAX + 1
    assert lines[-1] == "… and 3 more"
