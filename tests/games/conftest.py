from __future__ import annotations

from functools import partial

import pytest

from tests.event_loop import Backend
from tests.games.virtual_hub import Play, play_in_virtual_time


@pytest.fixture
def play(backend: Backend) -> Play:
    """Tell a story of a hub in virtual time, where the plugin would run an async test."""
    return partial(play_in_virtual_time, backend)
