from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from hubbub.testing import run_in_virtual_time
from tests.client.played import Backend, Play


@pytest.fixture
def play(backend: Backend) -> Play:
    """Run a story in virtual time."""

    def run(story: Callable[[], Awaitable[None]]) -> None:
        run_in_virtual_time(story, backend=backend)

    return run
