"""How often a password may be tried."""

from __future__ import annotations

from hubbub import Settings
from hubbub.errors import RateLimited
from hubbub.ratelimit import SlidingWindow
from hubbub.users.attempts import (
    ATTEMPT_LIMITS,
    ATTEMPTS_ADDRESS_FACTOR,
    ATTEMPTS_KEYS_MAX,
    KNOWN_FACTOR,
    TICKET_LIMIT,
    Attempts,
)

HOME, HERE, THERE = "192.0.2.1", "203.0.113.9", "203.0.113.10"
LIMIT = 3


def tried(attempts: Attempts, account: str, address: str, times: int, now: float = 0.0) -> int:
    """Return how many of several attempts are permitted."""
    passed = 0
    for _ in range(times):
        try:
            attempts.charge(account, address, now)
        except RateLimited:
            continue
        passed += 1
    return passed


def test_one_address_has_few_attempts_at_one_account() -> None:
    attempts = Attempts(LIMIT, 60.0)

    assert tried(attempts, "root", HERE, 9) == LIMIT
    assert tried(attempts, "root", HERE, 9, now=60.0) == LIMIT


def test_nobody_is_locked_out_from_elsewhere() -> None:
    attempts = Attempts(LIMIT, 60.0)
    for number in range(50):
        tried(attempts, "root", f"203.0.113.{number}", 9)

    assert tried(attempts, "root", HOME, 1) == 1


def test_one_address_has_few_attempts_at_all_accounts() -> None:
    attempts = Attempts(LIMIT, 60.0)
    passed = sum(tried(attempts, str(number), HERE, 1) for number in range(100))

    assert passed == LIMIT * ATTEMPTS_ADDRESS_FACTOR


def test_who_has_signed_in_from_there_is_not_stopped_by_others_there() -> None:
    attempts = Attempts(LIMIT, 60.0)
    attempts.succeeded("ann", HERE)
    for number in range(100):
        tried(attempts, str(number), HERE, LIMIT)

    assert tried(attempts, "ann", HERE, 1) == 1
    assert tried(attempts, "ann", THERE, 9) == LIMIT


def test_even_there_a_password_cannot_be_guessed_for_ever() -> None:
    attempts = Attempts(LIMIT, 60.0)
    attempts.succeeded("ann", HERE)

    assert tried(attempts, "ann", HERE, 1_000) == LIMIT * KNOWN_FACTOR


def test_a_clock_that_is_set_back_is_no_error() -> None:
    attempts = Attempts(LIMIT, 60.0)

    assert tried(attempts, "root", HERE, 2, now=3_600.0) == 2
    assert tried(attempts, "root", HERE, 2, now=0.0) == 1


def test_addresses_of_one_customer_are_one() -> None:
    attempts = Attempts(LIMIT, 60.0)
    passed = sum(tried(attempts, "root", f"2001:db8::{last:x}", 1) for last in range(20))

    assert passed == LIMIT


def test_the_addresses_that_are_known_are_bounded() -> None:
    attempts = Attempts(LIMIT, 60.0)
    for number in range(ATTEMPTS_KEYS_MAX + 1):
        attempts.succeeded(str(number), HERE)

    assert not attempts.is_known("0", HERE)
    assert attempts.is_known("1", HERE)


def test_nodes_charge_the_same_limits_without_names_and_addresses() -> None:
    one, other = Attempts(LIMIT, 60.0), Attempts(LIMIT, 60.0)
    charges = one.charges("root", HERE)

    assert charges == other.charges("root", HERE)
    assert [what for what, _ in charges] == ["attempts_by_address", "attempts"]
    assert charges[:1] == one.address_charges(HERE)
    assert len({*charges, *one.charges("root", THERE), *one.charges("ann", HERE)}) == 5
    assert not any("root" in key or HERE in key for _, key in charges)


def test_where_a_user_has_signed_in_nodes_charge_another_limit() -> None:
    attempts = Attempts(LIMIT, 60.0)
    attempts.succeeded("root", HERE)

    assert [what for what, _ in attempts.charges("root", HERE)] == ["attempts_from_known"]
    assert [what for what, _ in attempts.charges("root", THERE)][1:] == ["attempts"]


def test_the_limits_of_nodes_are_those_of_one() -> None:
    settings = Settings(password_attempts=LIMIT, password_attempts_period=60.0)
    sizes = {name: limit(settings) for name, limit in ATTEMPT_LIMITS.items()}

    for name, factor in (
        ("attempts", 1),
        ("attempts_by_address", ATTEMPTS_ADDRESS_FACTOR),
        ("attempts_from_known", KNOWN_FACTOR),
    ):
        limit = sizes[name]
        assert isinstance(limit, SlidingWindow)
        assert (limit.limit, limit.period) == (LIMIT * factor, 60.0)
    uses = sizes[TICKET_LIMIT]
    assert isinstance(uses, SlidingWindow)
    assert uses.limit == 1
