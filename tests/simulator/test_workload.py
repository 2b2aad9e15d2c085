"""The interface of workloads."""

from __future__ import annotations

from hubbub.simulator import Workload
from hubbub.simulator.chat_workload import ChatWorkload


def test_hubbubs_own_are_workloads() -> None:
    workload: Workload = ChatWorkload()

    assert workload.name == "chat"
