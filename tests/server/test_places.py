"""Places for connections."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubbub import Settings
from hubbub.addresses import place_of
from hubbub.server.places import ADDRESSES_KEPT_MAX, PLACES_SPARE_MAX, Places

ANN, BOB, PROXY = "192.0.2.1", "192.0.2.2", "127.0.0.1"


def places_for(connections: int, address: int = 1_000, user: int = 100) -> Places:
    return Places(
        Settings(
            connections_max=connections,
            connections_per_address_max=address,
            connections_per_user_max=user,
        )
    )


def test_an_address_has_a_limit() -> None:
    places = places_for(1_000, address=3)

    assert [places.enter(ANN) for _ in range(4)] == [True, True, True, False]
    assert places.enter(BOB)


def test_an_address_never_gets_more_than_half() -> None:
    assert places_for(10).per_address_max == 5
    assert places_for(1).per_address_max == 1


def test_a_user_never_gets_more_than_a_quarter() -> None:
    places = places_for(8)

    assert [places.enter_user("ann") for _ in range(3)] == [True, True, False]
    assert places.enter_user("bob")


def test_the_defaults_are_those_of_the_settings() -> None:
    settings = Settings()
    places = Places(settings)

    assert places.per_address_max == settings.connections_per_address_max == 1_000
    assert places.per_user_max == settings.connections_per_user_max == 100
    assert places.max == settings.connections_max + PLACES_SPARE_MAX


def test_a_trusted_proxy_is_limited_only_in_all() -> None:
    places = places_for(8, address=2)

    assert [places.enter(PROXY) for _ in range(10)] == [True] * 9 + [False]


def test_a_network_of_ipv6_is_one_address() -> None:
    places = places_for(100, address=2)

    assert [places.enter(f"2001:db8::{n}") for n in range(3)] == [True, True, False]
    assert places.enter("2001:db8:0:1::1")


def test_an_address_written_as_ipv6_is_the_same_one() -> None:
    places = places_for(100, address=1)

    assert places.enter(ANN)
    assert not places.enter(f"::ffff:{ANN}")


def test_when_all_are_taken_the_oldest_that_asked_for_nothing_goes() -> None:
    places = places_for(1)
    gone: list[str] = []

    def let_go(name: str) -> None:
        gone.append(name)
        places.leave(ANN)

    for name, address in (("first", ANN), ("second", BOB)):
        assert places.enter(address)
        places.wait(name, lambda name=name: let_go(name))  # type: ignore[misc]

    assert places.enter("192.0.2.3")
    assert gone == ["first"]


def test_those_that_have_asked_for_something_stay() -> None:
    places = places_for(1)
    places.enter(ANN)
    places.enter(BOB)
    places.wait("ann", lambda: pytest.fail("it was let go"))
    places.wait_no_more("ann")

    assert not places.enter("192.0.2.3")


addresses = st.ip_addresses().map(str) | st.sampled_from([ANN, BOB, PROXY, "", "unix"])


@given(st.lists(addresses, max_size=40), st.integers(1, 20), st.integers(1, 5))
def test_whoever_comes_and_goes_nothing_is_left(
    names: list[str], connections: int, address: int
) -> None:
    places = places_for(connections, address)
    inside = [name for name in names if places.enter(name)]
    assert len(inside) == places.count <= places.max
    for name in inside:
        places.leave(name)

    assert places.count == 0
    assert not places._by_address


def test_an_address_that_a_proxy_tells_has_so_many_sockets() -> None:
    places = Places(Settings(connections_per_address_max=2))

    assert [places.enter_socket("203.0.113.7") for _ in range(3)] == [True, True, False]
    assert places.enter_socket("203.0.113.8")
    places.leave_socket("203.0.113.7")
    assert places.enter_socket("203.0.113.7")
    assert all(places.enter_socket("127.0.0.1") for _ in range(9))


def test_addresses_that_are_kept_have_a_limit() -> None:
    places = places_for(1_000)

    for number in range(ADDRESSES_KEPT_MAX + 100):
        address = f"2001:db8::{number:x}"
        assert places.enter(address)
        places.leave(address)

    for kept in (places.is_shared, place_of):
        assert kept.cache_info().currsize <= ADDRESSES_KEPT_MAX
