"""Seeds of the whole system."""

from __future__ import annotations

from collections import Counter

import pytest

from hubbub.simulator import Broken, PlannedFault, Result, RunOptions, run_seed, shortest_plan
from hubbub.simulator import run as run_module
from hubbub.simulator.node import Node
from hubbub.simulator.plan import CLUSTER_KINDS, KINDS
from hubbub.simulator.run import SHRINK_TRIES_MAX, WITHOUT_NETWORK, nodes_of
from hubbub.simulator.stream_socket import StreamSocket
from hubbub.wire.follower import RemoteFollower
from tests.event_loop import Backend


def a_while(backend: Backend) -> RunOptions:
    return RunOptions(backend=backend, hours=0.1, fault_seconds=40.0, nodes=1)


def a_cluster(backend: Backend) -> RunOptions:
    return RunOptions(backend=backend, hours=0.02, fault_seconds=20.0, action_seconds=5.0, nodes=2)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_no_promise_is_broken(seed: int, backend: Backend) -> None:
    result = run_seed(seed, a_while(backend))

    assert result.events > 30
    assert result.calls > 20


def test_the_same_seed_is_the_same_run(backend: Backend) -> None:
    assert run_seed(4, a_while(backend)) == run_seed(4, a_while(backend))


def test_the_same_seed_is_the_same_run_of_a_cluster(backend: Backend) -> None:
    result = run_seed(6, a_cluster(backend))

    assert result == run_seed(6, a_cluster(backend))
    assert result.lives >= 2
    assert result.calls > 20


def test_every_kind_of_fault_passes_in_a_cluster(backend: Backend) -> None:
    kinds = {kind: seconds for kind, seconds in (KINDS | CLUSTER_KINDS).items() if seconds}
    plan = [
        PlannedFault(3.0 * number, kind, min(seconds, 4.0), number % 5, number % 2)
        for number, (kind, seconds) in enumerate(kinds.items(), 1)
    ]
    result = run_seed(1, a_cluster(backend), plan)

    assert result.faults == dict.fromkeys(kinds, 1)


def test_a_part_of_the_seeds_has_a_cluster(backend: Backend) -> None:
    options = RunOptions(backend=backend)
    drawn = Counter(nodes_of(seed, options) for seed in range(1000))

    assert 100 <= drawn[2] + drawn[3] <= 200
    assert min(drawn[2], drawn[3]) > 20
    assert drawn.keys() == {1, 2, 3}


def test_every_kind_of_fault_passes_in_memory_and_in_a_database(
    backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = [
        PlannedFault(10.0 * number, kind, min(seconds, 8.0), number % 5)
        for number, (kind, seconds) in enumerate(KINDS.items(), 1)
    ]
    for chance in (0.0, 1.0):
        monkeypatch.setattr(run_module, "SQLITE_CHANCE", chance)
        result: Result = run_seed(1, a_while(backend), plan)

        assert result.faults == dict.fromkeys(KINDS, 1)
        assert result.lives >= 4


def test_a_failing_seed_is_told_with_the_fewest_faults(
    backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    put = RemoteFollower.put
    crashed: list[bool] = []
    crash = Node.crash

    async def note_crash(self: Node, seconds: float, *, silently: bool = False) -> None:
        crashed.append(True)
        await crash(self, seconds, silently=silently)

    def forget_after_a_crash(self: RemoteFollower, seq: int, body: bytes) -> None:
        if crashed:
            crashed.clear()
            self.last = seq
        else:
            put(self, seq, body)

    monkeypatch.setattr(Node, "crash", note_crash)
    monkeypatch.setattr(RemoteFollower, "put", forget_after_a_crash)
    plan = [PlannedFault(20.0 * n, kind, 2.0, n) for n, kind in enumerate(("cut", "crash", "hold"))]
    monkeypatch.setattr(run_module, "plan_of", lambda seed, options: plan)

    with pytest.raises(ExceptionGroup) as failed:
        run_seed(1, a_while(backend))
    crashed.clear()

    assert failed.group_contains(Broken, match="saw event")
    assert [fault.kind for fault in shortest_plan(1, a_while(backend))] == ["crash"]
    assert len(KINDS) <= SHRINK_TRIES_MAX


def test_a_user_who_can_never_sign_in_is_a_broken_promise(
    backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: StreamSocket) -> None:
        raise NotImplementedError

    monkeypatch.setattr(StreamSocket, "signed_in", fail)
    with pytest.raises(BaseExceptionGroup) as failed:
        run_seed(1, a_while(backend), [])

    assert failed.group_contains(Broken, match="u0 has never been signed in")


def test_many_users_can_be_in_the_process_of_the_server(backend: Backend) -> None:
    options = RunOptions(
        backend=backend, hours=0.05, clients=100, action_seconds=300.0, in_process=True
    )
    result = run_seed(3, options)

    assert result.connections == 0
    assert result.events > 200
    assert set(result.faults) <= WITHOUT_NETWORK
