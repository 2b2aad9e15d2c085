"""The users that may call the methods of shop, and read its streams. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from ..permissions import ADMIN, ANYONE, OWN, Grant

__all__ = ["SHOP_GRANTS", "SHOP_READERS"]

# A kind of stream -> who may read and follow it.
SHOP_READERS: Mapping[str, Grant] = {
    "product": ANYONE,
    "catalogue": ANYONE,
    "coupon": Grant(("nobody",), "Coupons are not read; enter the code."),
    "cart": Grant(("owner",), "A cart is its owner's alone."),
    "order": Grant(("owner",), "This order is its buyer's alone."),
    "sandbox": Grant(("nobody",), "What the sandbox has taken is not read; look at the order."),
}

# A method -> who may call it.
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
        but="the buyer: once the time is over for which the stock is put aside",
    ),
    "shop.settle_order": ADMIN,
    "shop.invoice": Grant(("owner", "admin"), SHOP_READERS["order"].refusal),
}
