"""Taxes on a cart. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Protocol

import msgspec

from ...errors import Invalid
from ...money import Money, round_half_up
from ...shown import shown

__all__ = ["Basis", "FlatTax", "Tax", "TaxPolicy", "TaxTable", "Taxed", "country_of"]

# A country's code, and a product's category or None for all others.
Where = tuple[str, str | None]


class Taxed(msgspec.Struct, frozen=True, gc=False):
    """
    A line to tax.

    Args:
        sku: the product's SKU.
        category: the product's category, if it has one.
        amount: the price of the line, after its share of the discount.
    """

    sku: str
    category: str | None
    amount: Money


class Basis(msgspec.Struct, frozen=True, gc=False):
    """
    The basis of a tax.

    Args:
        lines: the lines with their amounts.
        amount: the sum of all lines: the subtotal after the discount.
        country: the buyer's country, if known: two letters of ISO 3166.
    """

    lines: Sequence[Taxed]
    amount: Money
    country: str | None


class Tax(msgspec.Struct, frozen=True, gc=False):
    """
    A tax.

    Args:
        amount: the amount of tax.
        included: True if prices include it, False if it is added to them.
    """

    amount: Money
    included: bool


class TaxPolicy(Protocol):
    """Computes the tax of a cart; pure: the same basis always gives the same tax."""

    def tax(self, basis: Basis) -> Tax:
        """Return the tax of a basis."""


class FlatTax:
    """
    One rate for everything, rounded half up once, on the total.

    Args:
        rate: from 0 to 1, as a string or a Decimal: ``"0.10"`` is 10 %.
        included: True if prices include the tax.

    Raises:
        Invalid: the rate is a float or outside its limits.
    """

    def __init__(self, rate: str | Decimal = "0.10", *, included: bool = False) -> None:
        self._included = included
        self._part = _part(rate, included)

    def tax(self, basis: Basis) -> Tax:
        """Return the tax of a basis."""
        return Tax(basis.amount.part(self._part), self._included)


class TaxTable:
    """
    A rate for each country and category, rounded half up once, on the sum.

    Args:
        rates: a country's code and a category, or None for all its others -> a rate.
        default: the rate for all countries and categories that are not in the table.
        included: True if prices include the tax.

    Raises:
        Invalid: a rate is a float or outside its limits, or a country is not a code.
    """

    def __init__(
        self,
        rates: Mapping[Where, str | Decimal],
        *,
        default: str | Decimal = "0",
        included: bool = False,
    ) -> None:
        self._included = included
        self._parts = {_where(where): _part(rate, included) for where, rate in rates.items()}
        self._default = _part(default, included)

    def tax(self, basis: Basis) -> Tax:
        """Return the tax of a basis."""
        exact = Fraction(0)
        for line in basis.lines:
            exact += line.amount.amount * self._part_of(basis.country, line.category)
        return Tax(Money(round_half_up(exact), basis.amount.currency), self._included)

    def _part_of(self, country: str | None, category: str | None) -> Fraction:
        if country is None:
            return self._default
        found = self._parts.get((country, category))
        return self._parts.get((country, None), self._default) if found is None else found


def country_of(country: object) -> str:
    """
    Return a country's code in upper case.

    Raises:
        Invalid: it is not two letters.
    """
    good = isinstance(country, str) and len(country) == 2 and country.isascii()
    if not good or not str(country).isalpha():
        raise Invalid(f"A country must be two letters of ISO 3166 like DE, not {shown(country)}.")
    return str(country).upper()


def _where(where: object) -> Where:
    match where:
        case (country, None | str() as category):
            return country_of(country), category
    raise Invalid(f'A rate needs a country and a category, like ("DE", None), not {shown(where)}.')


def _part(rate: object, included: bool) -> Fraction:
    if isinstance(rate, float):
        raise Invalid(f'A float is not exact; write the rate as "{rate}".')
    # Decimal accepts a bool or a tuple, too.
    number = rate if isinstance(rate, str | Decimal) or type(rate) is int else None
    try:
        exact = Fraction(Decimal(number))  # type: ignore[arg-type]
    except (InvalidOperation, TypeError, ValueError, OverflowError) as error:
        raise Invalid(f"A rate must be a decimal number like '0.19', not {shown(rate)}.") from error
    if not 0 <= exact <= 1:
        raise Invalid(f"A rate must be from 0 to 1, not {rate}; 0.19 is 19 %.")
    return exact / (1 + exact) if included else exact
