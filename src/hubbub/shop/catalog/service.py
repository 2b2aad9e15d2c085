"""The methods of shop that are about the catalogue and coupons."""

from __future__ import annotations

from datetime import datetime

from msgspec import UNSET, UnsetType

from ...journal.actor import Actor
from ...journal.command import Command
from ...money import Money
from ...service import Service, command, query
from ..events import CouponSet
from .coupon import Coupon
from .product import Given, Product
from .products import Products

__all__ = ["CatalogService"]


class CatalogService(Service):
    """
    The catalogue and coupons.

    Args:
        actor: the user of the session.
        runtime: the hub's terms, payment processor and prices.
    """

    name = "shop"

    __slots__ = ("_actor", "_products")

    def __init__(self, actor: Actor, runtime: object = None) -> None:
        super().__init__(actor, runtime)
        self._actor = actor
        self._products = Products(actor)

    @query
    def products(self, *, after: str | None = None, limit: int = 50) -> Command[list[Product]]:
        """
        List products in the order of their SKUs.

        Args:
            after: the last SKU that you have.
            limit: 1 to 500.

        Raises:
            Invalid: an argument is outside its limits.
        """
        return self._products.page(after, limit)

    @query
    def product(self, sku: str) -> Command[Product]:
        """
        Return a product.

        Raises:
            NotFound: the product does not exist.
            Invalid: the value cannot be the SKU of a product.
        """
        return self._products.show(sku)

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
        Create a product, or change it: what you leave out stays unchanged. For admins.

        Args:
            sku: 1 to 64 ASCII characters, without a space or a slash.
            name: up to 100 characters in one line.
            price: the price of one, up to 10,000,000,000 of the currency's smallest unit.
            stock: the number that can be sold from now on, besides the stock reserved for orders
                that are being paid; None for no limit. By default (:data:`hubbub.KEEP`) the stock
                stays unchanged, and a new product has no limit. To add stock while users are
                buying, call `adjust_stock`.
            category: the tax category; None for none. By default it stays unchanged.

        Raises:
            NotAllowed: you are not an admin.
            Conflict: the catalogue is full.
            Invalid: an argument is outside its limits.
        """
        return self._products.set(sku, Given(name, price, stock, category))

    @command
    def adjust_stock(self, sku: str, by: int, *, key: str) -> Command[Product]:
        """
        Increase or decrease the stock of a product, even while users are buying. For admins.

        Args:
            sku: a product's SKU.
            by: the number of pieces to add; a negative number removes pieces.
            key: an idempotency key.

        Raises:
            NotAllowed: you are not an admin.
            NotFound: the product does not exist.
            Invalid: `by` is not a whole number, or is 0.
            Conflict: fewer pieces are left, or the product has no limit on its stock.
            KeyReused: you used the key for another command.
        """
        return self._products.adjust_stock(sku, by, key)

    @command
    def set_coupon(
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
        Create a coupon, or change it. For admins.

        Args:
            code: 1 to 50 letters, digits, - or _.
            percent: the discount in percent, 1 to 100; or
            amount: the discount as an amount.
            minimum: the smallest subtotal for which it is valid.
            once: True if each user can use it for one order only.
            expires_at: when it expires; a time with a time zone.

        Raises:
            NotAllowed: you are not an admin.
            Invalid: an argument is outside its limits.
        """
        given = CouponSet(percent, amount, minimum, once, expires_at)
        return self._products.set_coupon(code, given)
