"""Every kind of fault can happen; ``test_run.py`` lets each happen."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from hubbub.simulator.faults import happen
from hubbub.simulator.plan import CLUSTER_KINDS, PlannedFault


async def test_a_fault_of_no_known_kind_is_an_error() -> None:
    node = SimpleNamespace(address="10.1.0.1", machine=SimpleNamespace(fill=None))
    world: Any = SimpleNamespace(host_of=str, nodes=[node], cluster=None)

    with pytest.raises(ValueError, match="no fault of the kind 'flood'"):
        await happen(PlannedFault(0, "flood", 1, 0), world)


@pytest.mark.parametrize("kind", CLUSTER_KINDS)
async def test_a_fault_of_a_cluster_needs_a_cluster(kind: str) -> None:
    node = SimpleNamespace(address="10.1.0.1", machine=SimpleNamespace(fill=None))
    world: Any = SimpleNamespace(host_of=str, nodes=[node], cluster=None)

    with pytest.raises(ValueError, match="Only a cluster"):
        await happen(PlannedFault(0, kind, 1, 0), world)
