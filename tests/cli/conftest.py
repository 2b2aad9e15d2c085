"""Fixtures for the tests of the command line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.program import program

# Several programs begin in some of these tests, on a machine that has more to do.
SECONDS_MAX = 60
HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give the tests of the command line more time."""
    for item in items:
        if item.path.parent == HERE:
            item.add_marker(pytest.mark.timeout(SECONDS_MAX))


@pytest.fixture(scope="session")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve a hub that keeps nothing; give its address."""
    home = tmp_path_factory.mktemp("server")
    options = ["--port", 0, "--db", "memory://", "--set", "message_limit=1000"]
    with program(home, "serve", *options) as server:
        yield server.line_with("Hubbub serves").split()[2]
