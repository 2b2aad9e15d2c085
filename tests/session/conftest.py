from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import cast

import pytest

from tests.journal.stores.kinds import emptied
from tests.session.worlds import KINDS, Kind, OpenWorld, open_world

ON_UVLOOP = os.environ.get("HUBBUB_TEST_LOOP") == "uvloop"
# uvloop has nothing to do with what is in memory, and somebody's server chooses its own loop.
HERE: tuple[Kind, ...] = ("sqlite", "remote") if ON_UVLOOP else KINDS
# The session of nox that tests an older PostgreSQL runs this suite on it, and on nothing else.
if os.environ.get("HUBBUB_TEST_POSTGRES"):
    HERE = ("postgres",)
if chosen := os.environ.get("HUBBUB_TEST_WORLDS"):
    HERE = cast(tuple[Kind, ...], tuple(chosen.split(",")))


@pytest.fixture(params=HERE)
def world(request: pytest.FixtureRequest, tmp_path: Path) -> OpenWorld:
    """Open a world: in the process on each store, over a socket of each kind."""
    database = emptied(request) if request.param == "postgres" else ""
    return partial(open_world, request.param, tmp_path / "hub.db", database=database)
