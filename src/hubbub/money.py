"""
Money: exact amounts in a currency, in its smallest unit. Floats are refused.

Currencies, and the number of decimals of each, come from ISO 4217.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from copy import copy
from decimal import Context, Decimal, localcontext
from fractions import Fraction
from functools import cache
from typing import TYPE_CHECKING

import msgspec

from .errors import Invalid
from .extras import needs
from .shown import shown

__all__ = ["AMOUNT_MAX", "Money", "decimals_of", "round_half_up", "total"]

# The largest amount, in the currency's smallest unit: JSON holds it exactly everywhere.
AMOUNT_MAX = (1 << 53) - 1
# The longest name of a locale, in characters; the longest known has 20, like ca_ES_VALENCIA.
LOCALE_CHARS_MAX = 35

_PLAIN = re.compile(r"([+-]?)(\d{1,16})(?:\.(\d{1,16}))?", re.ASCII)
# For decimal arithmetic: enough for any amount, whatever context the application has set.
_EXACT = Context(prec=32)
# The exponent of a Decimal: writing out a larger one would take all memory.
_ZEROS = 100


class Money(msgspec.Struct, frozen=True, gc=False):
    """
    An amount of money: ``Money("19.99", "USD")``, or ``Money(1999, "USD")``.

    It adds and compares only with its own currency, and prints as ``19.99 USD``.

    Args:
        amount: an int in the currency's smallest unit, up to 2**53; or a decimal number as a
            string or a ``Decimal``, with at most as many decimals as the currency has.
        currency: its code in ISO 4217, like ``USD``.

    Raises:
        Invalid: the amount is a float, not exact or too large, or the currency does not exist.
    """

    amount: int
    currency: str

    if TYPE_CHECKING:
        # A string or a Decimal is parsed; the struct always keeps an int.
        def __init__(self, amount: int | str | Decimal, currency: str) -> None: ...

    def __post_init__(self) -> None:
        currency, amount = self.currency, self.amount
        # Not decimals_of: a cart makes ten amounts each time it is shown.
        decimals = _decimals(currency) if type(currency) is str else decimals_of(currency)
        if type(amount) is not int:
            amount = _parsed(amount, currency, decimals)
            msgspec.structs.force_setattr(self, "amount", amount)
        if not -AMOUNT_MAX <= amount <= AMOUNT_MAX:
            raise Invalid(
                f"An amount can have up to {AMOUNT_MAX:,} of the currency's smallest unit."
            )

    def __add__(self, other: Money) -> Money:
        return Money(self.amount + self._same(other), self.currency)

    def __sub__(self, other: Money) -> Money:
        return Money(self.amount - self._same(other), self.currency)

    def __neg__(self) -> Money:
        return Money(-self.amount, self.currency)

    def __mul__(self, times: int) -> Money:
        if type(times) is not int:
            raise Invalid(
                f"Multiply money by a whole number, not by {shown(times)}; use `part` for a rate."
            )
        return Money(self.amount * times, self.currency)

    __rmul__ = __mul__

    def __lt__(self, other: Money) -> bool:
        return self.amount < self._same(other)

    def __le__(self, other: Money) -> bool:
        return self.amount <= self._same(other)

    def __gt__(self, other: Money) -> bool:
        return self.amount > self._same(other)

    def __ge__(self, other: Money) -> bool:
        return self.amount >= self._same(other)

    def __bool__(self) -> bool:
        return self.amount != 0

    def __str__(self) -> str:
        return f"{self.decimal} {self.currency}"

    @property
    def decimal(self) -> Decimal:
        """The amount in whole units, exactly."""
        # Unlike arithmetic, this constructor does not round to the context's precision.
        return Decimal(f"{self.amount}E-{decimals_of(self.currency)}")

    def part(self, rate: Fraction | Decimal | int) -> Money:
        """
        Return a fraction of the amount, rounded half up (away from zero) to the smallest unit.

        Args:
            rate: an exact number, like ``Fraction(1, 3)`` or ``Decimal("0.1")``.

        Raises:
            Invalid: the rate has another type, such as a float.
        """
        good = isinstance(rate, Fraction) or type(rate) is int
        if not good and not (isinstance(rate, Decimal) and _is_plain(rate)):
            raise Invalid(f"A rate must be a Fraction, a Decimal or an int, not {shown(rate)}.")
        above, below = rate.as_integer_ratio()
        return Money(_half_up(self.amount * above, below), self.currency)

    def allocate(self, weights: Sequence[int]) -> list[Money]:
        """
        Divide the amount by weights, so that the parts add up to it exactly.

        The units that rounding down leaves go to the largest remainders, one unit each; among
        equal remainders to the first (the largest remainder method of Hamilton).

        Args:
            weights: whole numbers of at least 0, not all of them 0.

        Raises:
            Invalid: a weight is negative or not a whole number, or all are 0.
        """
        if not all(type(weight) is int and weight >= 0 for weight in weights) or not any(weights):
            raise Invalid("Weights must be whole numbers of at least 0, and not all of them 0.")
        whole, sign = sum(weights), -1 if self.amount < 0 else 1
        shares = [divmod(abs(self.amount) * weight, whole) for weight in weights]
        amounts = [share for share, _ in shares]
        left = abs(self.amount) - sum(amounts)
        by_remainder = sorted(range(len(shares)), key=lambda place: -shares[place][1])
        for place in by_remainder[:left]:
            amounts[place] += 1
        return [Money(sign * amount, self.currency) for amount in amounts]

    def format(self, locale: str = "en_US") -> str:
        """
        Format the amount for a locale, like ``$19.99``; needs the extra ``shop``.

        Args:
            locale: a name like ``de_DE``.

        Raises:
            Invalid: the locale does not exist.
            MissingExtra: the extra is not installed.
        """
        with needs("shop", "Money.format"):
            from babel import Locale, UnknownLocaleError  # noqa: PLC0415  # an extra

        try:
            if not isinstance(locale, str) or len(locale) > LOCALE_CHARS_MAX:
                raise ValueError("this is too long for a locale")
            place = Locale.parse(locale.replace("-", "_"))
        except (UnknownLocaleError, ValueError, TypeError) as error:
            raise Invalid(f"There is no locale {shown(locale)}; use a name like de_DE.") from error
        # Copy the shared locale: a locale does not always show the decimals that ISO defines.
        pattern = copy(place.currency_formats["standard"])
        pattern.frac_prec = (decimals_of(self.currency),) * 2
        with localcontext(_EXACT):
            written = pattern.apply(
                self.decimal, place, currency=self.currency, currency_digits=False
            )
        return str(written)

    def _same(self, other: object) -> int:
        if not isinstance(other, Money):
            raise Invalid(f"Add or compare Money with Money, not with {shown(other)}.")
        if other.currency != self.currency:
            raise Invalid(
                f"{self} and {other} have different currencies; convert one of them first."
            )
        return other.amount


def total(amounts: Iterable[Money], currency: str) -> Money:
    """Add up amounts; the sum of no amounts is 0 of the currency."""
    added = Money(0, currency)
    for amount in amounts:
        added += amount
    return added


def round_half_up(exact: Fraction) -> int:
    """Round to a whole number, with halves away from zero."""
    return _half_up(exact.numerator, exact.denominator)


def decimals_of(currency: str) -> int:
    """
    Return the number of decimals of a currency: 2 for USD, 0 for JPY.

    Raises:
        Invalid: ISO 4217 does not have the currency, or defines no decimals for it.
    """
    if not isinstance(currency, str):
        raise Invalid(f"A currency must be a code of ISO 4217 like USD, not {shown(currency)}.")
    return _decimals(currency)


@cache
def _decimals(currency: str) -> int:
    from iso4217 import Currency  # noqa: PLC0415  # a large table that only shops need

    found = next((one for one in Currency if one.code == currency), None)
    if found is None or found.exponent is None:
        raise Invalid(f"{shown(currency)} is not a currency of ISO 4217; use a code like USD.")
    return int(found.exponent)


def _half_up(above: int, below: int) -> int:
    rounded = (2 * abs(above) + below) // (2 * below)
    return -rounded if above < 0 else rounded


def _is_plain(number: Decimal) -> bool:
    return number.is_finite() and abs(number.adjusted()) <= _ZEROS


def _parsed(amount: object, currency: str, decimals: int) -> int:
    if isinstance(amount, float):
        raise Invalid(f'A float is not exact; write Money("{amount}", "{currency}").')
    if isinstance(amount, Decimal) and _is_plain(amount):
        amount = f"{amount:f}"
    plain = _PLAIN.fullmatch(amount) if isinstance(amount, str) else None
    if plain is None:
        raise Invalid(f"An amount must be a decimal number like '19.99', not {shown(amount)}.")
    sign, whole, fraction = plain[1], plain[2], (plain[3] or "").rstrip("0")
    if len(fraction) > decimals:
        raise Invalid(f"{amount} has too many decimals; {currency} has {decimals}.")
    units = int(whole + fraction.ljust(decimals, "0"))
    return -units if sign == "-" else units
