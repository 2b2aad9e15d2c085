"""A shop that has something to sell."""

from __future__ import annotations

from hubbub import Money, Session
from tests.session.worlds import World

__all__ = ["CARD", "DECLINED", "PRICES", "fill", "stocked", "usd"]

PRICES = {"laptop": "999.99", "mouse": "29.99", "keyboard": "79.99", "monitor": "299.99"}
CARD = "4242 4242 4242 4242"
DECLINED = "4000 0000 0000 0002"


def usd(amount: str) -> Money:
    return Money(amount, "USD")


async def stocked(here: World, stock: int | None = 10) -> Session:
    """Put four products into the catalogue; return the admin's session."""
    admin = await here.session("Root", role="admin")
    for sku, price in PRICES.items():
        await admin.shop.set_product(sku, sku.title(), usd(price), stock=stock)
    return admin


async def fill(session: Session) -> None:
    """Put one laptop, two mice and a keyboard into a cart."""
    await session.shop.add_item("laptop")
    await session.shop.add_item("mouse", 2)
    await session.shop.add_item("keyboard")
