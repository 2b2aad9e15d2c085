from __future__ import annotations

from hubbub.journal.cluster.bus_address import BusAddress


def test_an_address_is_shown_without_its_password() -> None:
    address = BusAddress("cluster", (("one", 1), ("two", 2)), True, "ann", "secret")

    assert str(address) == "one:1, two:2"
