"""Products and coupons: what the shop sells, and what admins say of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial

from msgspec import UNSET, UnsetType

from ...errors import Invalid
from ...journal.command import Command, nothing
from ...journal.decide.states import States
from ...journal.event import Draft, Event
from ...money import Money
from ...service import check_limit, command, query
from ..carts.methods import Carts
from ..events import CouponSet
from .coupon import Coupon, CouponState, coupon_of, coupon_stream, set_coupon
from .product import (
    CATALOGUE,
    Catalogue,
    Given,
    Product,
    ProductState,
    adjust_stock,
    product_of,
    product_stream,
    set_product,
)

__all__ = ["KEEP", "Products"]

# What is not given stays as it is. Over a network it is left out.
KEEP = UNSET


class Products(Carts):
    """Products and coupons, besides the user's own cart."""

    __slots__ = ()

    @query
    def products(self, *, after: str | None = None, limit: int = 50) -> Command[list[Product]]:
        """
        List products by their SKUs.

        Args:
            after: the last SKU that you have.
            limit: 1 to 500.
        """
        check_limit(limit, self._actor.settings.page_max)
        if after is not None and not isinstance(after, str):
            raise Invalid(f"`after` is a SKU, not {type(after).__name__}.")

        def result(states: States, events: Sequence[Event]) -> list[Product]:
            skus = states.of(Catalogue, CATALOGUE).page(after, limit)
            streams = [f"product/{sku}" for sku in skus]
            states.need(streams)
            return [product_of(stream, states.of(ProductState, stream)) for stream in streams]

        return Command(self._by, nothing, result, reads=(CATALOGUE,))

    @query
    def product(self, sku: str) -> Command[Product]:
        """
        Look a product up.

        Raises:
            NotFound: there is none.
        """
        stream = product_stream(sku)
        return Command(self._by, nothing, partial(_shown, stream), reads=(stream,))

    @command
    def set_product(
        self,
        sku: str,
        name: str,
        price: Money,
        *,
        stock: int | UnsetType | None = UNSET,
        category: str | UnsetType | None = UNSET,
    ) -> Command[Product]:
        """
        Make a product, or change it: what you leave out stays as it is. For admins.

        Args:
            sku: 1 to 64 ASCII characters, without a space or a slash.
            name: up to 100 characters in one line.
            price: of one, up to 10,000,000,000 of the currency's smallest unit.
            stock: how many can be sold from now on, besides those that are put aside for
                orders that are being paid; None if there are always enough. By default
                (:data:`hubbub.KEEP`) the stock stays as it is; that of a new product is None.
                To bring some in while others are sold, use `adjust_stock`.
            category: what taxes go by; None for none. By default it stays as it is.

        Raises:
            NotAllowed: you are no admin.
            Invalid: an argument is outside its limits.
        """
        stream, given = product_stream(sku), Given(name, price, stock, category)
        chars_max = self._actor.settings.name_chars_max

        def decide(states: States) -> Sequence[Draft]:
            return set_product(states, sku, given, chars_max)

        return Command(self._by, decide, partial(_shown, stream), reads=(stream, CATALOGUE))

    @command
    def adjust_stock(self, sku: str, by: int, *, key: str) -> Command[Product]:
        """
        Have more of a product to sell, or fewer, whatever is sold meanwhile. For admins.

        Args:
            sku: a product's SKU.
            by: how many more, or, below 0, how many fewer.
            key: makes it exactly-once.

        Raises:
            NotAllowed: you are no admin.
            NotFound: there is no such product.
            Invalid: it is no whole number, or 0.
            Conflict: fewer are left than that, or the product's stock is not counted.
        """
        stream = product_stream(sku)

        def decide(states: States) -> Sequence[Draft]:
            return adjust_stock(states, stream, by)

        shown, arguments = partial(_shown, stream), ("adjust_stock", sku, by)
        return Command(self._by, decide, shown, reads=(stream,), key=key, arguments=arguments)

    @command
    def set_coupon(  # noqa: PLR0913
        self,
        code: str,
        *,
        percent: int | None = None,
        amount: Money | None = None,
        minimum: Money | None = None,
        once: bool = True,
        expires_at: datetime | None = None,
    ) -> Command[Coupon]:
        """
        Make a coupon, or change it. For admins.

        Args:
            code: 1 to 50 letters, digits, - or _.
            percent: how much it takes off, 1 to 100; or
            amount: how much it takes off.
            minimum: the least subtotal with which it may be used.
            once: True if each user may use it for one order only.
            expires_at: until when it may be used; a time with a time zone.

        Raises:
            NotAllowed: you are no admin.
            Invalid: an argument is outside its limits.
        """
        stream = coupon_stream(code)
        given = CouponSet(percent, amount, minimum, once, expires_at)

        def decide(states: States) -> Sequence[Draft]:
            return set_coupon(stream, given)

        def result(states: States, events: Sequence[Event]) -> Coupon:
            return coupon_of(stream, states.of(CouponState, stream))

        return Command(self._by, decide, result, reads=(stream,))


def _shown(stream: str, states: States, events: Sequence[Event]) -> Product:
    return product_of(stream, states.of(ProductState, stream))
