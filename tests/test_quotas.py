"""Quotas for users over a network."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubbub.errors import RateLimited
from hubbub.quotas import ADDRESS_FACTOR, GUESTS, KEYS_MAX, Quota, Quotas
from hubbub.settings import Settings
from tests.features import GRANTS, QUOTAS

ROOMS = QUOTAS["chat.create_room"]
HERE, THERE = "203.0.113.9", "203.0.113.10"


class SetClock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.passed = 0.0

    def now(self) -> datetime:
        """Return the time that was set."""
        return datetime.fromtimestamp(self.passed, UTC)

    def monotonic(self) -> float:
        """Return its seconds."""
        return self.passed


def quotas(**limits: int) -> tuple[Quotas, SetClock]:
    clock = SetClock()
    settings = Settings(clock=clock, creations_period=100.0)
    return Quotas(msgspec.structs.replace(settings, **limits)), clock


def count(quotas: Quotas, quota: Quota, user: str, address: str, times: int) -> int:
    """Return how many of several charges pass."""
    passed = 0
    for _ in range(times):
        try:
            quotas.charge(quota, user, address)
        except RateLimited:
            continue
        passed += 1
    return passed


@pytest.mark.parametrize("quota", [*QUOTAS.values(), GUESTS])
def test_every_quota_is_a_setting(quota: Quota) -> None:
    settings = Settings()

    assert getattr(settings, quota.limit) > 0
    assert getattr(settings, quota.period) > 0


def test_every_method_that_is_counted_is_a_method() -> None:
    assert QUOTAS.keys() <= GRANTS.keys()


def test_a_user_has_a_limit_wherever_the_user_is() -> None:
    counted, _ = quotas(rooms_per_user=3)

    assert count(counted, ROOMS, "ann", HERE, 5) == 3
    assert count(counted, ROOMS, "ann", THERE, 1) == 0
    assert count(counted, ROOMS, "bob", HERE, 1) == 1


def test_to_be_many_users_is_no_way_around_it() -> None:
    counted, _ = quotas(rooms_per_user=3)
    passed = sum(count(counted, ROOMS, str(user), HERE, 3) for user in range(20))

    assert passed == 3 * ADDRESS_FACTOR
    assert count(counted, ROOMS, "ann", THERE, 1) == 1


def test_a_refusal_of_the_address_costs_the_user_nothing() -> None:
    counted, _ = quotas(rooms_per_user=1)
    for user in range(ADDRESS_FACTOR):
        counted.charge(ROOMS, str(user), HERE)
    assert count(counted, ROOMS, "ann", HERE, 3) == 0

    assert count(counted, ROOMS, "ann", THERE, 3) == 1


@pytest.mark.parametrize("quota", [GUESTS, QUOTAS["users.create_account"]])
def test_what_is_new_is_counted_by_address_alone(quota: Quota) -> None:
    counted, _ = quotas(guests_per_address=3, accounts_per_address=3)
    passed = sum(count(counted, quota, str(user), HERE, 1) for user in range(9))

    assert passed == 3
    assert count(counted, quota, "ann", THERE, 1) == 1


def test_all_of_one_customer_s_ipv6_addresses_are_one() -> None:
    counted, _ = quotas(guests_per_address=3)
    passed = sum(count(counted, GUESTS, "x", f"2001:db8::{last:x}", 1) for last in range(9))

    assert passed == 3


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "::ffff:127.0.0.1", ""])
def test_behind_a_proxy_that_does_not_say_where_clients_are_users_are_counted(
    address: str,
) -> None:
    counted, _ = quotas(rooms_per_user=1, guests_per_address=1)

    assert sum(count(counted, ROOMS, str(user), address, 2) for user in range(50)) == 50
    assert count(counted, GUESTS, "x", address, 50) == 50


def test_a_limit_says_when_to_try_again() -> None:
    counted, clock = quotas(rooms_per_user=2)
    count(counted, ROOMS, "ann", HERE, 2)
    with pytest.raises(RateLimited, match="new rooms") as limited:
        counted.charge(ROOMS, "ann", HERE)
    clock.passed += limited.value.retry_after or 0.0

    counted.charge(ROOMS, "ann", HERE)


def test_a_clock_that_is_set_back_is_no_error() -> None:
    counted, clock = quotas(rooms_per_user=3)
    clock.passed = 3_600.0
    assert count(counted, ROOMS, "ann", HERE, 2) == 2
    clock.passed = 0.0

    assert count(counted, ROOMS, "ann", HERE, 2) == 1


@given(st.lists(st.booleans(), max_size=60))
def test_what_was_refused_after_all_costs_nothing(steps: list[bool]) -> None:
    counted, _ = quotas(rooms_per_user=5)
    held = 0
    for keeps in steps:
        try:
            counted.charge(ROOMS, "ann", HERE)
        except RateLimited:
            assert held == 5
            continue
        assert held < 5
        if keeps:
            held += 1
        else:
            counted.refund(ROOMS, "ann", HERE)


def test_what_is_remembered_is_bounded() -> None:
    counted, _ = quotas()
    for number in range(KEYS_MAX + 10):
        counted.charge(ROOMS, str(number), f"host {number}")

    assert [len(limits[ROOMS.limit]) for limits in (counted._by_user, counted._by_place)] == [
        KEYS_MAX,
        KEYS_MAX,
    ]
