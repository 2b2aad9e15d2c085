"""The faults of a run, and their times."""

from __future__ import annotations

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from hubbub.simulator.faults import happen
from hubbub.simulator.plan import CLUSTER_KINDS, JUMP_SECONDS_MAX, KINDS, PlannedFault, draw_plan


@given(st.integers(), st.floats(1, 10_000), st.integers(1, 50))
def test_faults_come_in_order_within_the_run(seed: int, seconds: float, clients: int) -> None:
    plan = draw_plan(Random(seed), seconds, clients, 100.0)

    times = [fault.at for fault in plan]
    assert times == sorted(times)
    assert all(0 <= fault.at <= seconds + 0.001 for fault in plan)
    assert all(0 <= fault.client < clients for fault in plan)
    assert all(abs(fault.seconds) <= JUMP_SECONDS_MAX for fault in plan)


def test_seeds_have_different_kinds_of_faults() -> None:
    plans = [draw_plan(Random(seed), 36_000, 5, 100.0) for seed in range(20)]
    kinds = [frozenset(fault.kind for fault in plan) for plan in plans]

    assert len(set(kinds)) == 20
    assert frozenset(KINDS) == frozenset().union(*kinds)
    assert max(map(len, kinds)) < len(KINDS)


def test_faults_of_a_cluster_befall_each_node() -> None:
    plans = [draw_plan(Random(seed), 36_000, 5, 100.0, nodes=3) for seed in range(20)]
    faults = [fault for plan in plans for fault in plan]

    assert {fault.node for fault in faults} == {0, 1, 2}
    assert {fault.kind for fault in faults} == {*KINDS, *CLUSTER_KINDS}


def test_a_fault_is_shown_in_a_line() -> None:
    shown = str(PlannedFault(3661.5, "partition", 12.25, 3))

    assert shown == "01:01:01.50 partition, 12.2 s (client 3)"
    assert str(PlannedFault(0.5, "stop", 2.0, 1, 2)).endswith("stop, 2.0 s (node 2, client 1)")
    assert happen.__doc__
