"""The totals of a cart: the discount, the tax, and the amount to pay. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import timedelta
from functools import cached_property
from typing import overload

import msgspec

from ...errors import Conflict
from ...journal.decide.states import States
from ...money import AMOUNT_MAX, Money
from ..catalog.product import Offer, ProductState, known_product_stream
from ..events import Item, Placed
from .tax import Basis, Taxed, TaxPolicy

__all__ = [
    "ShopTerms",
    "Totals",
    "check_totals",
    "offered",
    "rounding_of",
    "subtotal_of",
    "totals_of",
]


class ShopTerms(msgspec.Struct, frozen=True):
    """
    The terms of all carts of a hub.

    Args:
        offer: returns what a product sells for now; None if it is not for sale.
        tax: computes the tax.
        currency: the currency of an empty cart.
        lines_max: the number of products in a cart.
        quantity_max: the quantity of each product.
        cart_life: how long after its last change a cart expires.
        reservation: how long an order that is being paid reserves its stock.
        orders_open_max: the number of orders that are being paid or refunded.
        payable: rounds an amount to what the payment provider can charge.
    """

    offer: Callable[[States, str], Offer | None]
    tax: TaxPolicy
    currency: str
    lines_max: int
    quantity_max: int
    cart_life: timedelta
    reservation: timedelta
    orders_open_max: int = 10_000
    payable: Callable[[Money], Money] = lambda amount: amount


class Totals(msgspec.Struct, frozen=True, gc=False):
    """
    The totals of a cart.

    Args:
        subtotal: the sum of all lines.
        discount: the discount of the coupon.
        tax: the amount of tax.
        total: the amount to pay.
        tax_included: True if prices include the tax.
    """

    subtotal: Money
    discount: Money
    tax: Money
    total: Money
    tax_included: bool


def offered(states: States, sku: str) -> Offer | None:
    """Return the catalogue's offer of a product."""
    return states.of(ProductState, known_product_stream(sku)).offer


def subtotal_of(items: Collection[Item], currency: str) -> Money:
    """Add up items of one currency; the sum of no items is 0 of the given currency."""
    amount = 0
    for item in items:
        amount += item.price.amount * item.quantity
        currency = item.price.currency
    return Money(amount, currency)


def check_totals(items: Collection[Item]) -> None:
    """
    Check that a cart can be paid.

    Raises:
        Conflict: it has several currencies, or its total is too large.
    """
    amount, currency = 0, ""
    for item in items:
        price = item.price
        if currency and price.currency != currency:
            raise Conflict(
                f"A cart can have one currency, not both {currency} and {price.currency}."
            )
        amount += price.amount * item.quantity
        currency = price.currency
    # The tax can be as much again.
    if amount > AMOUNT_MAX // 2:
        raise Conflict("The total of this cart is too large; remove some items.")


def rounding_of(totals: Totals | Placed) -> Money | None:
    """Return what rounding adds to a total, or takes from it; None if that is nothing."""
    # Whole numbers: every answer with a cart computes this, and almost always it is nothing.
    exact = totals.subtotal.amount - totals.discount.amount
    if not totals.tax_included:
        exact += totals.tax.amount
    added = totals.total.amount - exact
    return Money(added, totals.total.currency) if added else None


def totals_of(
    items: Sequence[Item], subtotal: Money, discount: Money, country: str | None, policy: TaxPolicy
) -> Totals:
    """
    Compute the tax and the total.

    The lines share the discount in proportion to their prices, so that each is taxed at its
    own rate.
    """
    net = subtotal - discount if discount.amount else subtotal
    tax = policy.tax(Basis(_Lines(items, discount), net, country))
    if tax.amount.currency != net.currency or tax.amount.amount < 0:
        raise TypeError(
            f"the tax policy returned {tax.amount} for {net}; this is a bug of the policy"
        )
    total = net if tax.included else net + tax.amount
    return Totals(subtotal, discount, tax.amount, total, tax.included)


class _Lines(Sequence[Taxed]):
    """The lines to tax, made when a policy looks at them: the default needs only the sum."""

    def __init__(self, items: Sequence[Item], discount: Money) -> None:
        self._items = items
        self._discount = discount

    def __len__(self) -> int:
        return len(self._items)

    @overload
    def __getitem__(self, place: int) -> Taxed: ...

    @overload
    def __getitem__(self, place: slice) -> Sequence[Taxed]: ...

    def __getitem__(self, place: int | slice) -> Taxed | Sequence[Taxed]:
        return self._lines[place]

    @cached_property
    def _lines(self) -> list[Taxed]:
        items, discount = self._items, self._discount
        nets = [item.price.amount * item.quantity for item in items]
        if discount:
            shares = discount.allocate(nets)
            nets = [net - share.amount for net, share in zip(nets, shares, strict=True)]
        return [
            Taxed(item.sku, item.category, Money(net, discount.currency))
            for item, net in zip(items, nets, strict=True)
        ]
