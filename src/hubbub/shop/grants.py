"""Permissions of shop: which users can call its methods and read its streams. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from ..permissions import ADMIN, ANYONE, OWN, Grant

__all__ = ["SHOP_GRANTS", "SHOP_READERS"]

# A kind of stream -> who can read and follow it.
SHOP_READERS: Mapping[str, Grant] = {
    "product": ANYONE,
    "catalogue": ANYONE,
    "coupon": Grant(("nobody",), "Nobody can read a coupon's stream; apply its code."),
    "cart": Grant(("owner",), "Only its owner can read a cart."),
    "order": Grant(("owner",), "Only its buyer can read an order."),
    "sandbox": Grant(("nobody",), "Nobody can read the sandbox's stream; see the order."),
}

# A method -> who can call it.
SHOP_GRANTS: Mapping[str, Grant] = {
    "shop.products": ANYONE,
    "shop.product": ANYONE,
    "shop.set_product": ADMIN,
    "shop.adjust_stock": ADMIN,
    "shop.set_coupon": ADMIN,
    "shop.cart": OWN,
    "shop.add_item": OWN,
    "shop.remove_item": OWN,
    "shop.set_quantity": OWN,
    "shop.accept_prices": OWN,
    "shop.apply_coupon": OWN,
    "shop.remove_coupon": OWN,
    "shop.set_country": OWN,
    "shop.clear": OWN,
    "shop.checkout": OWN,
    "shop.order": Grant(("owner", "admin"), SHOP_READERS["order"].refusal),
    "shop.orders": OWN,
    "shop.open_orders": ADMIN,
    "shop.refund": ADMIN,
    "shop.cancel_order": Grant(
        ("owner", "admin"),
        SHOP_READERS["order"].refusal,
        but="the buyer: once the reservation of the stock has expired",
    ),
    "shop.settle_order": ADMIN,
    "shop.invoice": Grant(("owner", "admin"), SHOP_READERS["order"].refusal),
}
