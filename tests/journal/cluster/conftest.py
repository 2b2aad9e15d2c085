"""Real servers for buses: one of each for a test run."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from hubbub.local_servers import ServerProcess, postgres_server
from tests.journal.cluster.valkey_kit import one_server
from tests.local_servers.places import reachable


@pytest.fixture(scope="session")
def postgres() -> Iterator[ServerProcess]:
    with reachable() as place, postgres_server(place, settings={"fsync": "off"}) as server:
        yield server


@pytest.fixture(scope="session")
def valkey() -> Iterator[ServerProcess]:
    with one_server() as server:
        yield server
