"""A few products to try the shop with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...money import Money

if TYPE_CHECKING:
    from ..service import Shop

__all__ = ["COUPON", "PRODUCTS", "put_on_sale"]

STOCK = 100
# A shop with this many products of its own gets no demo products.
PAGE = 100
# A SKU -> a name, and a price in USD.
PRODUCTS = {
    "laptop": ("Laptop", "999.99"),
    "mouse": ("Mouse", "29.99"),
    "keyboard": ("Keyboard", "79.99"),
    "monitor": ("Monitor", "299.99"),
}
# A discount of ten percent, once for each user.
COUPON = "WELCOME"


async def put_on_sale(shop: Shop) -> None:
    """
    Add the demo products to the catalogue; existing products stay unchanged.

    Args:
        shop: the shop service of an admin.
    """
    there = {product.sku for product in await shop.products(limit=PAGE)}
    for sku in PRODUCTS.keys() - there:
        name, price = PRODUCTS[sku]
        await shop.set_product(sku, name, Money(price, "USD"), stock=STOCK)
    if not there:
        await shop.set_coupon(COUPON, percent=10)
