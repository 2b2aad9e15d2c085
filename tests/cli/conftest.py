"""What the tests of the command line share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cli.program import program


@pytest.fixture(scope="session")
def backend(request: pytest.FixtureRequest) -> str:
    """Name the event loop that these tests run on, for the server to run on it as well."""
    return "asyncio" if request.config.pluginmanager.hasplugin("asyncio") else "trio"


@pytest.fixture(scope="session")
def address(tmp_path_factory: pytest.TempPathFactory, backend: str) -> Iterator[str]:
    """Serve a hub that keeps nothing; give its address."""
    home = tmp_path_factory.mktemp("server")
    options = [
        "--port",
        0,
        "--db",
        "memory://",
        "--backend",
        backend,
        "--set",
        "message_limit=1000",
    ]
    with program(home, "serve", *options) as server:
        yield server.line_with("Hubbub serves").split()[2]
