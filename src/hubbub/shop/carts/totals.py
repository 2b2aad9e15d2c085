"""What a cart comes to: the discount, the tax, the total. Pure."""

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
from ..events import Item
from .tax import Basis, Taxed, TaxPolicy

__all__ = [
    "ShopTerms",
    "Totals",
    "check_totals",
    "offered",
    "subtotal_of",
    "totals_of",
]


class ShopTerms(msgspec.Struct, frozen=True):
    """
    What all carts of a hub have in common.

    Args:
        offer: says what a product is sold for now; None if it is not.
        tax: how much tax there is.
        currency: of a cart that is empty.
        lines_max: how many products a cart may have.
        quantity_max: how many of each.
        cart_life: how long a cart is kept that nobody changes.
        reservation: how long stock is put aside for an order that is being paid.
        orders_open_max: orders that are being paid, or refunded, at one time.
    """

    offer: Callable[[States, str], Offer | None]
    tax: TaxPolicy
    currency: str
    lines_max: int
    quantity_max: int
    cart_life: timedelta
    reservation: timedelta
    orders_open_max: int = 10_000


class Totals(msgspec.Struct, frozen=True, gc=False):
    """
    What a cart comes to.

    Args:
        subtotal: all lines.
        discount: what the coupon takes off.
        tax: how much tax there is.
        total: what is to be paid.
        tax_included: True if the tax is a part of the prices.
    """

    subtotal: Money
    discount: Money
    tax: Money
    total: Money
    tax_included: bool


def offered(states: States, sku: str) -> Offer | None:
    """Say what the catalogue sells a product for."""
    return states.of(ProductState, known_product_stream(sku)).offer


def subtotal_of(items: Collection[Item], currency: str) -> Money:
    """Add up items, which are all of one currency; of none it is 0 of the one given."""
    amount = 0
    for item in items:
        amount += item.price.amount * item.quantity
        currency = item.price.currency
    return Money(amount, currency)


def check_totals(items: Collection[Item]) -> None:
    """
    Check that a cart can be paid.

    Raises:
        Conflict: it is of several currencies, or dearer than can be reckoned with.
    """
    amount, currency = 0, ""
    for item in items:
        price = item.price
        if currency and price.currency != currency:
            raise Conflict(f"A cart has one currency, not {currency} and {price.currency}.")
        amount += price.amount * item.quantity
        currency = price.currency
    # The tax may be as much again.
    if amount > AMOUNT_MAX // 2:
        raise Conflict("That is more than one cart can come to; take less.")


def totals_of(
    items: Sequence[Item], subtotal: Money, discount: Money, country: str | None, policy: TaxPolicy
) -> Totals:
    """
    Work out the tax and the total.

    The discount is shared among the lines, by what each costs, so that each is taxed at
    its own rate.
    """
    net = subtotal - discount if discount else subtotal
    tax = policy.tax(Basis(_Lines(items, discount), net, country))
    if tax.amount.currency != net.currency or tax.amount.amount < 0:
        raise TypeError(f"the tax policy made {tax.amount} of {net}: it is a fault of the policy")
    total = net if tax.included else net + tax.amount
    return Totals(subtotal, discount, tax.amount, total, tax.included)


class _Lines(Sequence[Taxed]):
    """The lines to be taxed, made when a policy looks at them: the default needs the sum only."""

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
