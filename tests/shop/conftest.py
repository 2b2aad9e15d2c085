from __future__ import annotations

from functools import partial

import pytest

from tests.event_loop import Backend
from tests.shop.virtual_shop import Sell, sell_in_virtual_time


@pytest.fixture
def sell(backend: Backend) -> Sell:
    """Tell a story of a shop in virtual time, where the plugin would run an async test."""
    return partial(sell_in_virtual_time, backend)
