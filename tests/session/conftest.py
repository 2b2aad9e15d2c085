from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from tests.session.worlds import KINDS, OpenWorld, open_world


@pytest.fixture(params=KINDS)
def world(request: pytest.FixtureRequest, tmp_path: Path) -> OpenWorld:
    """Open a world: in the process on each store, over a socket of each kind."""
    return partial(open_world, request.param, tmp_path / "hub.db")
