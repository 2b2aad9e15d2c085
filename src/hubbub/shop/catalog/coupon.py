"""A coupon: its discount, and its conditions. Pure."""

from __future__ import annotations

from datetime import UTC, datetime
from fractions import Fraction
from typing import Any, ClassVar

import msgspec

from ...clock import plain
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
        code: the code that a buyer enters; case makes no difference.
        percent: the discount in percent; or None.
        amount: the discount as an amount; or None.
        minimum: the smallest subtotal for which it is valid.
        once: True if each user can use it for one order only.
        expires_at: when it expires, UTC.
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

    # None until an admin creates it.
    terms: CouponSet | None = None

    def apply(self, event: Event) -> None:
        """Fold one event."""
        assert isinstance(event.data, CouponSet)
        self.terms = event.data

    def check_reader(self, stream: str, user: str) -> None:
        """Refuse every reader, so that nobody can look for coupons."""
        check(SHOP_READERS["coupon"])

    def problem(self, subtotal: Money, now: datetime, *, used: bool) -> str | None:
        """
        Return why the coupon gives no discount on a cart, or None.

        Args:
            subtotal: the subtotal of the cart.
            now: UTC.
            used: True if the user has used the coupon before.
        """
        terms = self.terms
        if terms is None:
            return "There is no such coupon."
        if terms.expires_at is not None and terms.expires_at <= now:
            return "This coupon has expired."
        if terms.once and used:
            return "You have already used this coupon."
        minimum = terms.minimum
        for money in (terms.amount, minimum):
            if money is not None and money.currency != subtotal.currency:
                return f"This coupon is valid only in {money.currency}."
        if minimum is not None and subtotal < minimum:
            return f"This coupon needs a subtotal of {minimum} or more."
        return None

    def discount(self, subtotal: Money) -> Money:
        """Return the discount, which is never more than the subtotal."""
        assert self.terms is not None
        if self.terms.percent is not None:
            return subtotal.part(Fraction(self.terms.percent, 100))
        assert self.terms.amount is not None
        return min(self.terms.amount, subtotal)


def set_coupon(stream: str, terms: CouponSet) -> list[Draft]:
    """Create a coupon, or change it."""
    if (terms.percent is None) == (terms.amount is None):
        raise Invalid("A coupon has either a percentage or an amount; give one of them.")
    percent = terms.percent
    if percent is not None and (type(percent) is not int or not 1 <= percent <= 100):
        raise Invalid(f"percent must be a whole number from 1 to 100, not {shown(percent)}.")
    _check_amounts([money for money in (terms.amount, terms.minimum) if money is not None])
    if type(terms.once) is not bool:
        raise Invalid(f"once must be True or False, not {shown(terms.once)}.")
    expires_at = terms.expires_at
    if expires_at is not None:
        terms = msgspec.structs.replace(terms, expires_at=_in_utc(expires_at))
    return [Draft(stream, terms)]


def _check_amounts(amounts: list[Money]) -> None:
    for money in amounts:
        if not isinstance(money, Money) or money.amount <= 0:
            raise Invalid(f"An amount must be Money above 0, not {shown(money)}.")
    if len({money.currency for money in amounts}) > 1:
        raise Invalid("A coupon's amount and its minimum must have the same currency.")


def _in_utc(moment: object) -> datetime:
    if not isinstance(moment, datetime) or moment.utcoffset() is None:
        raise Invalid("expires_at must be a time with a time zone.")
    try:
        return plain(moment).astimezone(UTC)
    except OverflowError as error:
        raise Invalid(f"In UTC expires_at must be in a year up to 9999, not {moment}.") from error


def coupon_stream(code: object) -> str:
    """
    Return a coupon's stream.

    Raises:
        Invalid: the text cannot be the code of a coupon.
    """
    good = isinstance(code, str) and 0 < len(code) <= CODE_CHARS_MAX and code.isascii()
    if not good or not str(code).replace("-", "").replace("_", "").isalnum():
        raise Invalid(
            f"A coupon code has 1 to {CODE_CHARS_MAX} letters, digits, - or _, not {shown(code)}."
        )
    return f"coupon/{str(code).upper()}"


def coupon_of(stream: str, state: CouponState) -> Coupon:
    """Return the public form of a coupon."""
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
