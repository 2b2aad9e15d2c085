from __future__ import annotations

from functools import partial

import pytest

from tests.games.virtual_hub import Play, play_in_virtual_time


@pytest.fixture
def play(request: pytest.FixtureRequest) -> Play:
    """Tell a story of a hub in virtual time, where the plugin would run an async test."""
    on_asyncio = request.config.pluginmanager.hasplugin("asyncio")
    return partial(play_in_virtual_time, "asyncio" if on_asyncio else "trio")
