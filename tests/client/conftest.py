from __future__ import annotations

import pytest

from tests.client.played import Backend


@pytest.fixture(scope="session")
def backend(request: pytest.FixtureRequest) -> Backend:
    """Say where the plugin of this run would run an async test."""
    return "asyncio" if request.config.pluginmanager.hasplugin("asyncio") else "trio"
