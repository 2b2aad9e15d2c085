"""
Several nodes on one store, under drawn schedules, with nodes that stop and a bus that loses.

The history of each run is checked: see :mod:`tests.journal.cluster.checker`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from functools import partial
from random import Random
from typing import Literal

import pytest

from hubbub.journal.stores.contract import Batch
from hubbub.journal.stores.memory import MemoryStore
from hubbub.journal.stores.memory_holds import Locks, MemoryHold
from hubbub.testing.simulation import simulate
from tests.journal.cluster.checker import check
from tests.journal.cluster.many_nodes import NodesClock, run_nodes

# Each of the faults below shows with some of them.
SEEDS = range(78, 86)

LoopName = Literal["asyncio", "trio"]
on_both = pytest.mark.parametrize("backend", ["asyncio", "trio"])


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL)


def run_and_check(
    backend: LoopName, seed: int, *, troubled: bool, locks: type[Locks] = Locks
) -> None:
    clock = NodesClock()
    store = MemoryStore(Random(seed), shared=True, clock=clock)
    store._locks = locks(clock.monotonic)
    run = partial(run_nodes, store, clock, troubled=troubled)
    check(store, simulate(run, backend=backend, seed=seed))


@on_both
def test_every_command_is_decided_on_the_newest_state(backend: LoopName) -> None:
    for seed in SEEDS:
        run_and_check(backend, seed, troubled=False)


@on_both
def test_so_it_is_when_nodes_stop_and_crash_and_the_bus_loses(backend: LoopName) -> None:
    for seed in SEEDS:
        run_and_check(backend, seed, troubled=True)


class Unlocked(Locks):
    """Locks that lock nothing."""

    def take(self, names: Iterable[object], commit: Callable[[Batch], None]) -> MemoryHold:
        return super().take((), commit)


class Unfenced(Locks):
    """Locks that a holder who has lost them does not miss."""

    def has(self, hold: MemoryHold) -> bool:
        return True


@on_both
@pytest.mark.parametrize(("locks", "troubled"), [(Unlocked, False), (Unfenced, True)])
def test_the_checker_finds_a_store_without_locks(
    locks: type[Locks], troubled: bool, backend: LoopName
) -> None:
    with pytest.raises(AssertionError, match=r"outdated|refused|used|wrote"):  # noqa: PT012
        for seed in range(SEEDS.start, 200):
            run_and_check(backend, seed, troubled=troubled, locks=locks)
