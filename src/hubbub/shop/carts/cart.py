"""A cart: the products that a user wants to buy, and its total. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

import msgspec

from ...journal.decide.states import States
from ...journal.event import Event, State
from ...money import Money
from ...permissions import check
from ..catalog.coupon import CouponState, coupon_stream
from ..catalog.product import known_product_stream
from ..events import (
    CartEvent,
    CheckoutBegan,
    CheckoutEnded,
    Cleared,
    CountrySet,
    CouponApplied,
    CouponRemoved,
    CouponReturned,
    Item,
    ItemAdded,
    ItemRemoved,
    Merged,
    PricesAccepted,
    QuantitySet,
)
from ..grants import SHOP_READERS
from .totals import ShopTerms, Totals, rounding_of, subtotal_of, totals_of

__all__ = [
    "Cart",
    "CartLine",
    "CartState",
    "Line",
    "cart_of",
    "cart_stream",
    "priced",
    "shown_with",
]


class Line(msgspec.Struct, frozen=True, gc=False):
    """
    A line of a cart or an order.

    Args:
        sku: the product's SKU.
        name: the product's name.
        price: the price of one.
        quantity: the number of pieces.
        total: the price of all of them.
    """

    sku: str
    name: str
    price: Money
    quantity: int
    total: Money


class CartLine(Line, frozen=True, gc=False):
    """
    A line of a cart.

    Args:
        new_price: the current price of one, if it has changed since it was added: accept it
            before checkout.
        stock: the number that can be sold now; None if there is no limit.
    """

    new_price: Money | None
    stock: int | None


class Cart(msgspec.Struct, frozen=True, gc=False):
    """
    A cart, as its owner sees it.

    Args:
        stream: the stream for ``follow`` and ``read``.
        lines: the lines, in the order in which they were added.
        subtotal: the sum of all lines.
        discount: the discount of the coupon.
        tax: the amount of tax.
        total: the amount to pay.
        tax_included: True if prices include the tax, False if it is added to them.
        coupon: the coupon's code, if there is one.
        coupon_problem: why the coupon gives no discount, if it gives none.
        country: the country whose tax applies.
        checkout: the id of the order that is being paid, if there is one.
        rounding: what rounding to an amount that the payment provider can charge adds to the
            total, or takes from it; None if that is nothing.
    """

    stream: str
    lines: list[CartLine]
    subtotal: Money
    discount: Money
    tax: Money
    total: Money
    tax_included: bool
    coupon: str | None
    coupon_problem: str | None
    country: str | None
    checkout: str | None
    rounding: Money | None = None


class CartState(State):
    """
    The fold of a ``cart/USER`` stream.

    Args:
        items: a SKU -> its line in the cart.
        coupon: the code of the coupon.
        country: the country whose tax applies.
        changed_at: when the user last changed it.
        checkout: the order that is being paid.
        paid_with: the coupon that was in the cart when that order was placed.
        used: a coupon that can be used once -> the order that used it.
        into: the account whose cart this guest's cart was merged into last.
        moved: the order that was being paid then, whose items are in that cart too.
    """

    data_type: ClassVar[Any] = CartEvent
    # Snapshots of the first version do not say which account a guest's cart was merged into.
    version: ClassVar[int] = 1

    items: dict[str, Item] = {}
    coupon: str | None = None
    country: str | None = None
    changed_at: datetime | None = None
    checkout: str | None = None
    paid_with: str | None = None
    used: dict[str, str] = {}
    into: str | None = None
    moved: str | None = None

    def apply(self, event: Event) -> None:
        """Fold one event."""
        match event.data:
            case ItemAdded(sku, quantity, name, price, category):
                self.changed_at = event.at
                if (held := self.items.get(sku)) is not None:
                    self._set(sku, held.quantity + quantity)
                else:
                    self.items[sku] = Item(sku, name, price, quantity, category)
            case CheckoutBegan(order, once):
                self.checkout, self.paid_with = order, self.coupon
                if once is not None:
                    self.used[once] = order
            case CheckoutEnded(order, paid, quantities):
                self._end_checkout(order, paid, quantities)
            case CouponReturned(code, order):
                if self.used.get(code) == order:
                    del self.used[code]
            case data:
                self.changed_at = event.at
                self._change(data)

    def _change(self, data: object) -> None:
        match data:
            case ItemRemoved(sku, quantity):
                self._set(sku, self.items[sku].quantity - quantity)
            case QuantitySet(sku, quantity):
                self._set(sku, quantity)
            case PricesAccepted(prices):
                for sku, price in prices.items():
                    self.items[sku] = msgspec.structs.replace(self.items[sku], price=price)
            case _:
                self._change_whole(data)

    def _change_whole(self, data: object) -> None:
        match data:
            case CouponApplied(code):
                self.coupon = code
            case CouponRemoved():
                self.coupon = None
            case CountrySet(country):
                self.country = country
            case Cleared():
                self.items, self.coupon = {}, None
            case Merged(items, _, None, used):
                self.items = self.items | {item.sku: item for item in items}
                self.used = self.used | (used or {})
            case Merged(_, _, into):
                self.items, self.coupon = {}, None
                self.into, self.moved = into, self.checkout
            case unknown:
                raise AssertionError(f"not a cart's event: {unknown!r}")

    def _set(self, sku: str, quantity: int) -> None:
        if quantity <= 0:
            del self.items[sku]
        else:
            held = self.items[sku]
            self.items[sku] = Item(sku, held.name, held.price, quantity, held.category)

    def _end_checkout(self, order: str, paid: bool, quantities: dict[str, int]) -> None:
        self.checkout = None
        if not paid:
            self.used = {code: by for code, by in self.used.items() if by != order}
            return
        # The user may have applied another coupon in the meantime.
        if self.coupon == self.paid_with:
            self.coupon = None
        for sku, quantity in quantities.items():
            # The user may have added or removed some in the meantime.
            if sku in self.items:
                self._set(sku, self.items[sku].quantity - quantity)

    def check_reader(self, stream: str, user: str) -> None:
        """Refuse every reader but the owner."""
        check(SHOP_READERS["cart"], *(("owner",) if stream == cart_stream(user) else ()))

    def has_expired(self, now: datetime, terms: ShopTerms) -> bool:
        """Return whether the cart has expired, and counts as empty."""
        if self.changed_at is None or not self.items:
            return False
        return self.changed_at + terms.cart_life <= now

    def emptied(self) -> CartState:
        """Return the cart as it is after it has expired."""
        return CartState(
            country=self.country,
            changed_at=self.changed_at,
            checkout=self.checkout,
            paid_with=self.paid_with,
            used=dict(self.used),
            into=self.into,
            moved=self.moved,
        )


def cart_stream(user: str) -> str:
    """Return the stream of a user's cart."""
    return f"cart/{user}"


def shown_with(cart: CartState) -> list[str]:
    """Return the streams that showing a cart needs."""
    streams = [known_product_stream(sku) for sku in cart.items]
    if cart.coupon is not None:
        streams.append(coupon_stream(cart.coupon))
    return streams


def priced(states: States, cart: CartState, terms: ShopTerms) -> tuple[Totals, str | None]:
    """
    Compute the totals of a cart; the total is rounded to what the payment provider can charge.

    Returns:
        The totals, and why the coupon gives no discount, if it gives none.
    """
    items = list(cart.items.values())
    subtotal = subtotal_of(items, terms.currency)
    discount, problem = Money(0, subtotal.currency), None
    if cart.coupon is not None:
        coupon = states.of(CouponState, coupon_stream(cart.coupon))
        problem = coupon.problem(subtotal, states.now, used=cart.coupon in cart.used)
        if problem is None:
            discount = coupon.discount(subtotal)
    totals = totals_of(items, subtotal, discount, cart.country, terms.tax)
    payable = terms.payable(totals.total)
    if payable is not totals.total:
        totals = msgspec.structs.replace(totals, total=payable)
    return totals, problem


def cart_of(states: States, stream: str, terms: ShopTerms) -> Cart:
    """Return the public form of a cart."""
    cart = states.of(CartState, stream)
    if cart.has_expired(states.now, terms):
        cart = cart.emptied()
    totals, problem = priced(states, cart, terms)
    return Cart(
        stream,
        [_line(states, item, terms) for item in cart.items.values()],
        totals.subtotal,
        totals.discount,
        totals.tax,
        totals.total,
        totals.tax_included,
        cart.coupon,
        problem,
        cart.country,
        cart.checkout,
        rounding_of(totals),
    )


def _line(states: States, item: Item, terms: ShopTerms) -> CartLine:
    offer, price, new_price, stock = terms.offer(states, item.sku), item.price, None, None
    if offer is not None:
        new_price, stock = None if offer.price == price else offer.price, offer.stock
    total = price * item.quantity
    return CartLine(item.sku, item.name, price, item.quantity, total, new_price, stock)
