"""Every kind of fault can happen."""

from __future__ import annotations

from hubbub.simulator import faults
from hubbub.simulator.plan import KINDS


def test_every_kind_has_a_way_to_happen() -> None:
    assert set(faults._FAULTS) == set(KINDS)
