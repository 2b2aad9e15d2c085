from __future__ import annotations

from functools import partial

import pytest

from tests.shop.virtual_shop import Sell, sell_in_virtual_time


@pytest.fixture
def sell(request: pytest.FixtureRequest) -> Sell:
    """Tell a story of a shop in virtual time, where the plugin would run an async test."""
    on_asyncio = request.config.pluginmanager.hasplugin("asyncio")
    return partial(sell_in_virtual_time, "asyncio" if on_asyncio else "trio")
