"""Every kind of fault can happen; ``test_run.py`` lets each happen."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from hubbub.simulator.faults import happen
from hubbub.simulator.plan import PlannedFault


async def test_a_fault_of_no_known_kind_is_an_error() -> None:
    world: Any = SimpleNamespace(host_of=str)

    with pytest.raises(ValueError, match="no fault of the kind 'flood'"):
        await happen(PlannedFault(0, "flood", 1, 0), world)
