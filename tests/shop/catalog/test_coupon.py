from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone, tzinfo
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubbub.errors import Invalid, NotAllowed
from hubbub.money import Money
from hubbub.shop.catalog.coupon import CODE_CHARS_MAX, CouponState, coupon_of, coupon_stream
from hubbub.shop.events import CouponSet
from tests.games.board_kit import REGISTRY
from tests.shop.shelf_kit import NOON, Shelf, usd

HUNDRED = usd("100")
# Beyond the last year that there is, when it is told in UTC.
TOO_LATE = datetime.max.replace(tzinfo=timezone(timedelta(hours=-1)))


class Nowhere(tzinfo):
    """A zone that does not say how far it is from UTC."""

    def utcoffset(self, moment: datetime | None) -> None:
        return None

    def dst(self, moment: datetime | None) -> None:
        return None

    def tzname(self, moment: datetime | None) -> None:
        return None


def coupon(**terms: Any) -> CouponState:
    return CouponState(CouponSet(**terms))


def problem(coupon: CouponState, subtotal: Money = HUNDRED, *, used: bool = False) -> str | None:
    return coupon.problem(subtotal, NOON, used=used)


def test_a_percentage_is_taken_off() -> None:
    assert coupon(percent=15).discount(usd("9.99")) == usd("1.50")


def test_an_amount_is_taken_off() -> None:
    assert coupon(amount=usd(500)).discount(HUNDRED) == usd(500)


def test_no_more_is_taken_off_than_there_is() -> None:
    assert coupon(amount=usd(500)).discount(usd(499)) == usd(499)


@given(st.integers(0, 10**9), st.integers(1, 100))
def test_a_percentage_is_rounded_once(subtotal: int, percent: int) -> None:
    off = coupon(percent=percent).discount(usd(subtotal)).amount

    assert abs(off - Fraction(subtotal * percent, 100)) <= Fraction(1, 2)
    assert 0 <= off <= subtotal


@given(st.integers(0, 10**9), st.integers(1, 10**9))
def test_what_is_left_is_never_less_than_nothing(subtotal: int, amount: int) -> None:
    left = usd(subtotal) - coupon(amount=usd(amount)).discount(usd(subtotal))

    assert left == usd(max(0, subtotal - amount))


def test_a_coupon_has_its_last_moment() -> None:
    assert problem(coupon(percent=1, expires_at=NOON + timedelta(microseconds=1))) is None
    assert problem(coupon(percent=1, expires_at=NOON)) == "This coupon has expired."


def test_a_coupon_is_used_once_unless_it_says_otherwise() -> None:
    assert problem(coupon(percent=1), used=True) == "You have already used this coupon."
    assert problem(coupon(percent=1, once=False), used=True) is None


def test_a_coupon_has_its_least_subtotal() -> None:
    assert problem(coupon(percent=1, minimum=HUNDRED)) is None
    least = problem(coupon(percent=1, minimum=HUNDRED), usd("99.99"))
    assert least == "This coupon needs a subtotal of 100.00 USD or more."


@pytest.mark.parametrize("field", ["amount", "minimum"])
def test_a_coupon_is_for_its_own_currency(field: str) -> None:
    terms = {"percent": None if field == "amount" else 5, field: Money(1, "EUR")}

    assert problem(coupon(**terms)) == "This coupon is valid only in EUR."


def test_what_was_never_made_is_no_coupon() -> None:
    assert problem(CouponState()) == "There is no such coupon."


def test_a_coupon_is_kept_in_utc() -> None:
    shelf, there = Shelf(), timezone(timedelta(hours=2))
    [made] = shelf.coupon("spring", percent=5, expires_at=datetime(2026, 3, 1, 2, tzinfo=there))

    assert isinstance(made, CouponSet)
    assert made.expires_at == datetime(2026, 3, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "terms",
    [
        {}, {"percent": 5, "amount": HUNDRED}, {"percent": 0}, {"percent": 101}, {"percent": 5.0},
        {"percent": True}, {"amount": usd(0)}, {"amount": 5}, {"percent": 5, "minimum": usd(-1)},
        {"percent": 5, "once": 1}, {"percent": 5, "expires_at": datetime(2026, 1, 1)},  # noqa: DTZ001
        {"percent": 5, "expires_at": "tomorrow"}, {"percent": 5, "expires_at": TOO_LATE},
        {"percent": 5, "expires_at": datetime(2026, 1, 1, tzinfo=Nowhere())}, {"amount": usd(-1)},
        {"percent": 5, "minimum": usd(0)}, {"percent": 5, "minimum": 5}, {"percent": "5"},
        {"amount": usd(5), "minimum": Money(5, "EUR")},
    ],
)  # fmt: skip
def test_terms_outside_their_limits_are_refused(terms: Any) -> None:
    with pytest.raises(Invalid):
        Shelf().coupon("spring", **terms)


def test_a_coupon_is_what_it_was_made_last() -> None:
    shelf = Shelf()
    shelf.coupon("spring", percent=5, minimum=HUNDRED)
    shelf.coupon("SPRING", amount=usd(500), once=False)

    kept = shelf.ask(lambda states: states.of(CouponState, coupon_stream("Spring")))
    assert kept.terms == CouponSet(None, usd(500), None, once=False)


def test_the_least_terms_are_taken() -> None:
    assert Shelf().coupon("spring", amount=usd(1), minimum=usd(1)) == [
        CouponSet(None, usd(1), usd(1))
    ]


def test_a_snapshot_holds_the_terms() -> None:
    state = coupon(percent=5, minimum=HUNDRED, once=False, expires_at=NOON)

    kept = REGISTRY.encode_state(state)

    assert REGISTRY.decode_state("coupon/SPRING", kept) == state


@pytest.mark.parametrize("percent", [1, 100])
def test_percentages_from_one_to_all_are_taken(percent: int) -> None:
    assert Shelf().coupon("spring", percent=percent) == [CouponSet(percent)]


@pytest.mark.parametrize("code", ["", "x" * (CODE_CHARS_MAX + 1), "ä", "a b", "a/b", "-_", None, 5])
def test_what_is_no_code_is_refused(code: Any) -> None:
    with pytest.raises(Invalid):
        coupon_stream(code)


def test_codes_have_no_case() -> None:
    assert coupon_stream("Spring-26_a") == coupon_stream("sPRING-26_A")


def test_the_longest_code_is_taken() -> None:
    assert coupon_stream("x" * CODE_CHARS_MAX).endswith("X" * CODE_CHARS_MAX)


def test_nobody_looks_for_coupons() -> None:
    with pytest.raises(NotAllowed):
        coupon(percent=5).check_reader("coupon/SPRING", "ann")


def test_a_coupon_is_shown_with_its_code() -> None:
    shown = coupon_of("coupon/SPRING", coupon(percent=5, minimum=HUNDRED))

    assert (shown.code, shown.percent, shown.amount, shown.minimum) == ("SPRING", 5, None, HUNDRED)
