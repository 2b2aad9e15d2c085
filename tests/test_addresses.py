"""Network addresses."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubbub.addresses import (
    IPV6_PREFIX_BITS,
    PLACES_MAX,
    is_one_of,
    networks_of,
    parse_address,
    place_of,
)
from hubbub.errors import Invalid


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("192.0.2.1", "192.0.2.1"),
        (" 192.0.2.1:4711 ", "192.0.2.1"),
        ("[2001:db8::1]:4711", "2001:db8::1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
    ],
)
def test_an_address_may_have_a_port(text: str, address: str) -> None:
    assert str(parse_address(text)) == address


@given(st.text())
def test_what_is_no_address_is_a_place_of_its_own(text: str) -> None:
    if parse_address(text) is None:
        assert place_of(text) == text


def test_one_customer_s_addresses_are_one_place() -> None:
    assert IPV6_PREFIX_BITS == 64
    assert place_of("2001:db8::1") == place_of("2001:db8::ffff:1") != place_of("2001:db8:0:1::1")
    assert place_of("192.0.2.1") == place_of("::ffff:192.0.2.1") != place_of("192.0.2.2")


def test_networks_are_read_or_refused() -> None:
    networks = networks_of(["10.0.0.0/8", "::1"])
    inside, outside = parse_address("10.1.2.3"), parse_address("11.1.2.3")
    assert inside is not None
    assert outside is not None

    assert is_one_of(inside, networks)
    assert not is_one_of(outside, networks)
    with pytest.raises(Invalid, match="trusted_proxies"):
        networks_of(["the proxy"])


def test_the_places_that_are_remembered_are_bounded() -> None:
    for number in range(PLACES_MAX + 10):
        place_of(f"host {number}")

    assert place_of.cache_info().currsize <= PLACES_MAX
