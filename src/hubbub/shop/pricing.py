"""What a cart comes to: the discount, the tax, the total. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import timedelta

import msgspec

from ..errors import Conflict
from ..journal.states import States
from ..money import AMOUNT_MAX, Money
from .events import Item
from .product import ProductState, product_stream
from .tax import Basis, Taxed, TaxPolicy

__all__ = ["Offer", "Terms", "Totals", "check_sum", "offered", "subtotal_of", "totals_of"]


class Offer(msgspec.Struct, frozen=True):
    """
    What a product is sold for now.

    Args:
        name: what to show.
        price: of one.
        category: what taxes go by.
        stock: how many can be sold; None if there are always enough.
    """

    name: str
    price: Money
    category: str | None = None
    stock: int | None = None


class Terms(msgspec.Struct, frozen=True):
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
    """

    offer: Callable[[States, str], Offer | None]
    tax: TaxPolicy
    currency: str
    lines_max: int
    quantity_max: int
    cart_life: timedelta
    reservation: timedelta


class Totals(msgspec.Struct, frozen=True):
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
    product = states.of(ProductState, product_stream(sku))
    if product.price is None:
        return None
    return Offer(product.name, product.price, product.category, product.stock)


def subtotal_of(items: Collection[Item], currency: str) -> Money:
    """Add up items, which are all of one currency; of none it is 0 of the one given."""
    amount = 0
    for item in items:
        amount += item.price.amount * item.quantity
        currency = item.price.currency
    return Money(amount, currency)


def check_sum(items: Collection[Item]) -> None:
    """
    Check that a cart can be paid.

    Raises:
        Conflict: it is of several currencies, or dearer than can be reckoned with.
    """
    currencies = {item.price.currency for item in items}
    if len(currencies) > 1:
        raise Conflict(f"A cart has one currency, not {' and '.join(sorted(currencies))}.")
    # The tax may be as much again.
    if sum(item.price.amount * item.quantity for item in items) > AMOUNT_MAX // 2:
        raise Conflict("That is more than one cart can come to; take less.")


def totals_of(
    items: Sequence[Item], subtotal: Money, discount: Money, country: str | None, policy: TaxPolicy
) -> Totals:
    """
    Work out the tax and the total.

    The discount is shared among the lines, by what each costs, so that each is taxed at
    its own rate.
    """
    nets = [item.price.amount * item.quantity for item in items]
    if discount:
        shares = discount.allocate(nets)
        nets = [net - share.amount for net, share in zip(nets, shares, strict=True)]
    lines = [
        Taxed(item.sku, item.category, Money(net, subtotal.currency))
        for item, net in zip(items, nets, strict=True)
    ]
    net = subtotal - discount
    tax = policy.tax(Basis(lines, net, country))
    total = net if tax.included else net + tax.amount
    return Totals(subtotal, discount, tax.amount, total, tax.included)
