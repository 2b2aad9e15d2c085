from __future__ import annotations

import pytest


@pytest.fixture
def backend(request: pytest.FixtureRequest) -> str:
    """The event loop that these tests run on, for the one that is killed."""
    return "asyncio" if request.config.pluginmanager.hasplugin("asyncio") else "trio"
