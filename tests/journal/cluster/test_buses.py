from __future__ import annotations

import pytest

from hubbub.errors import Invalid
from hubbub.journal.cluster.buses import open_bus, open_notify_bus
from hubbub.journal.cluster.notify_bus import NotifyBus
from hubbub.journal.cluster.valkey_bus import ValkeyBus


def test_each_bus_is_opened_without_connecting() -> None:
    assert isinstance(open_bus("redis://127.0.0.1:1", "j"), ValkeyBus)
    assert isinstance(open_bus("rediss://127.0.0.1:1", "j"), ValkeyBus)
    assert isinstance(open_notify_bus("postgresql://127.0.0.1:1/x", "j"), NotifyBus)


def test_a_url_of_no_bus_is_refused() -> None:
    with pytest.raises(Invalid, match="no bus for"):
        open_bus("memory://", "j")
