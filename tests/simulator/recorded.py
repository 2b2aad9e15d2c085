"""Runs a workload, and keeps the evidence that it was checked against."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from random import Random
from typing import Any

import pytest

from hubbub.simulator import Evidence, RunOptions, Workload, run_seed
from hubbub.simulator import run as run_module
from hubbub.simulator.provider import FlakyProvider
from tests.event_loop import Backend

__all__ = ["doctored", "recorded"]


class Recorder:
    """A workload that keeps its evidence."""

    def __init__(self, workload: Any) -> None:
        self._workload = workload
        self.evidence = Evidence({}, [], [])

    def __getattr__(self, name: str) -> Any:
        return getattr(self._workload, name)

    def broken(self, evidence: Evidence) -> Iterator[str]:
        self.evidence = evidence
        return iter(self._workload.broken(evidence))


def recorded(
    make: Callable[[FlakyProvider], Workload], backend: Backend, seed: int, faults: float = 60.0
) -> Evidence:
    """
    Let users do nothing but what a workload says, for ten minutes; return the evidence.

    Args:
        make: makes the workload for a payment provider.
        backend: the event loop.
        seed: draws the run.
        faults: how long, on average, from fault to fault, in seconds.
    """
    recorders: list[Recorder] = []

    def only(random: Random, provider: FlakyProvider, **more: object) -> Sequence[Any]:
        recorders.append(Recorder(make(provider)))
        return recorders

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run_module, "_drawn", only)
        options = RunOptions(
            backend=backend, hours=1 / 6, fault_seconds=faults, action_seconds=15.0, nodes=1
        )
        run_seed(seed, options)
    return recorders[0].evidence


def doctored(evidence: Evidence, change: Callable[[list[dict[str, Any]]], None]) -> Evidence:
    """Return other evidence: ``change`` gets a copy of all events, in their order."""
    order: list[dict[str, Any]] = deepcopy(list(map(dict, evidence.order)))
    change(order)
    streams: dict[str, list[dict[str, Any]]] = {}
    for event in order:
        streams.setdefault(event["stream"], []).append(event)
    return Evidence(streams, order, evidence.crashes)
