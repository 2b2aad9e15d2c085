"""Fixtures for the tests of the command line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import anyio
import pytest

import hubbub
from tests.cli.program import cold_program

# Several programs begin in some of these tests, on a machine that has more to do.
SECONDS_MAX = 60
HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give the tests of the command line more time."""
    for item in items:
        if item.path.parent == HERE:
            item.add_marker(pytest.mark.timeout(SECONDS_MAX))


@pytest.fixture
def db(tmp_path: Path) -> Path:
    """Make a database with a room."""

    async def fill() -> None:
        async with hubbub.open(str(tmp_path / "hubbub.db")) as hub, hub.session("ann") as ann:
            await ann.chat.create_room("Lobby")

    anyio.run(fill)
    return tmp_path / "hubbub.db"


@pytest.fixture(scope="session")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve a hub that keeps nothing; give its address."""
    home = tmp_path_factory.mktemp("server")
    options = ["--port", 0, "--db", "memory://", "--set", "message_limit=1000"]
    with cold_program(home, "serve", *options) as server:
        yield server.line_with("Hubbub serves").split()[2]
