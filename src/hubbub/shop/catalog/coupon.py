"""A coupon: what it takes off, and when. Pure."""

from __future__ import annotations

from datetime import UTC, datetime
from fractions import Fraction
from typing import Any, ClassVar

import msgspec

from ...errors import Invalid
from ...journal.event import Draft, Event, State
from ...money import Money
from ...permissions import check
from ...shown import shown
from ..events import CouponEvent, CouponSet
from ..grants import SHOP_READERS

__all__ = [
    "CODE_CHARS_MAX",
    "Coupon",
    "CouponState",
    "coupon_of",
    "coupon_stream",
    "set_coupon",
]

# The longest code of a coupon, in characters.
CODE_CHARS_MAX = 50


class Coupon(msgspec.Struct, frozen=True):
    """
    A coupon as an admin sees it.

    Args:
        code: what a buyer enters; upper and lower case are the same.
        percent: how much is taken off, in percent; or None.
        amount: how much is taken off; or None.
        minimum: the least subtotal with which it may be used.
        once: True if a user may use it for one order only.
        expires_at: until when it may be used, UTC.
    """

    code: str
    percent: int | None
    amount: Money | None
    minimum: Money | None
    once: bool
    expires_at: datetime | None


class CouponState(State):
    """The fold of a ``coupon/CODE`` stream."""

    data_type: ClassVar[Any] = CouponEvent

    # None before it is made.
    terms: CouponSet | None = None

    def apply(self, event: Event) -> None:
        """Take one event in."""
        assert isinstance(event.data, CouponSet)
        self.terms = event.data

    def check_reader(self, stream: str, user: str) -> None:
        """Nobody can look for coupons."""
        check(SHOP_READERS["coupon"])

    def problem(self, subtotal: Money, now: datetime, *, used: bool) -> str | None:
        """
        Say why it takes nothing off a cart, if so.

        Args:
            subtotal: what is in the cart.
            now: UTC.
            used: True if the user has used it before.
        """
        terms = self.terms
        if terms is None:
            return "There is no such coupon."
        if terms.expires_at is not None and terms.expires_at <= now:
            return "This coupon has expired."
        if terms.once and used:
            return "You have used this coupon already."
        minimum = terms.minimum
        for money in (terms.amount, minimum):
            if money is not None and money.currency != subtotal.currency:
                return f"This coupon is for {money.currency}."
        if minimum is not None and subtotal < minimum:
            return f"This coupon is for {minimum} or more."
        return None

    def discount(self, subtotal: Money) -> Money:
        """Return what it takes off; never more than there is."""
        assert self.terms is not None
        if self.terms.percent is not None:
            return subtotal.part(Fraction(self.terms.percent, 100))
        assert self.terms.amount is not None
        return min(self.terms.amount, subtotal)


def set_coupon(stream: str, terms: CouponSet) -> list[Draft]:
    """Make a coupon, or change it."""
    if (terms.percent is None) == (terms.amount is None):
        raise Invalid("A coupon takes off a percentage or an amount: give one of them.")
    percent = terms.percent
    if percent is not None and (type(percent) is not int or not 1 <= percent <= 100):
        raise Invalid(f"A percentage is a whole number from 1 to 100, not {shown(percent)}.")
    _check_amounts([money for money in (terms.amount, terms.minimum) if money is not None])
    if type(terms.once) is not bool:
        raise Invalid(f"`once` is true or false, not {shown(terms.once)}.")
    expires_at = terms.expires_at
    if expires_at is not None:
        terms = msgspec.structs.replace(terms, expires_at=_in_utc(expires_at))
    return [Draft(stream, terms)]


def _check_amounts(amounts: list[Money]) -> None:
    for money in amounts:
        if not isinstance(money, Money) or money.amount <= 0:
            raise Invalid(f"An amount is Money, and more than 0, not {shown(money)}.")
    if len({money.currency for money in amounts}) > 1:
        raise Invalid("A coupon's amount and its minimum are of one currency.")


def _in_utc(moment: object) -> datetime:
    if not isinstance(moment, datetime) or moment.utcoffset() is None:
        raise Invalid("A coupon expires at a time with a time zone.")
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise Invalid(f"In UTC a coupon expires in a year up to 9999, not {moment}.") from error


def coupon_stream(code: object) -> str:
    """
    Return a coupon's stream.

    Raises:
        Invalid: it can be no coupon's code.
    """
    good = isinstance(code, str) and 0 < len(code) <= CODE_CHARS_MAX and code.isascii()
    if not good or not str(code).replace("-", "").replace("_", "").isalnum():
        raise Invalid(
            f"A coupon's code has 1 to {CODE_CHARS_MAX} letters, digits, - or _, not {shown(code)}."
        )
    return f"coupon/{str(code).upper()}"


def coupon_of(stream: str, state: CouponState) -> Coupon:
    """Show a coupon."""
    terms = state.terms
    assert terms is not None
    return Coupon(
        stream.removeprefix("coupon/"),
        terms.percent,
        terms.amount,
        terms.minimum,
        terms.once,
        terms.expires_at,
    )
