"""The books of a shop: its orders, its stock and its carts, all at one moment."""

from __future__ import annotations

from typing import NamedTuple

import anyio

from hubbub import Cart, Hubbub, Order, Session
from hubbub.shop.events import ProductSet, StockAdjusted, StockReleased, StockReserved

__all__ = ["Books", "held", "orders_of", "read_books", "until_all_have_ended"]

# How long until one looks again.
SOON = 0.001
SECONDS_MAX = 10.0


class Books(NamedTuple):
    """
    All that a shop knows at one moment.

    Args:
        orders: of all users.
        stock: of each product, what can be sold.
        brought: of each product, what was put in stock by admins, and not taken out by them.
        carts: of each user.
    """

    orders: list[Order]
    stock: dict[str, int]
    brought: dict[str, int]
    carts: dict[str, Cart]


async def read_books(hub: Hubbub, users: tuple[str, ...], skus: tuple[str, ...]) -> Books:
    """Read all at one moment: while it is read an order may come to its end."""
    while True:
        orders = await orders_of(hub, users)
        async with hub.session("root") as root:
            stock = {sku: (await root.shop.product(sku)).stock or 0 for sku in skus}
            brought = {sku: await brought_of(root, sku) for sku in skus}
        carts = dict[str, Cart]()
        for user in users:
            async with hub.session(user) as session:
                carts[user] = await session.shop.cart()
        if orders == await orders_of(hub, users):
            return Books(orders, stock, brought, carts)


async def orders_of(hub: Hubbub, users: tuple[str, ...]) -> list[Order]:
    """List the orders of several users."""
    orders = list[Order]()
    for user in users:
        async with hub.session(user) as session:
            orders += await session.shop.orders()
    return orders


async def brought_of(session: Session, sku: str) -> int:
    """Count what admins have brought, as a product's events tell it."""
    stock = brought = 0
    for event in await session.read(f"product/{sku}", limit=500):
        match event.data:
            case ProductSet(stock=int(new)):
                brought, stock = brought + new - stock, new
            case StockAdjusted(quantity=quantity):
                brought, stock = brought + quantity, stock + quantity
            case StockReserved(quantity=quantity):
                stock -= quantity
            case StockReleased(quantity=quantity):
                stock += quantity
    return brought


def held(orders: list[Order], sku: str) -> int:
    """Count the reserved and sold stock."""
    lines = [line for order in orders if order.status != "declined" for line in order.lines]
    return sum(line.quantity for line in lines if line.sku == sku)


async def until_all_have_ended(hub: Hubbub, users: tuple[str, ...]) -> None:
    """Wait until nothing is left to pay or to refund."""
    with anyio.fail_after(SECONDS_MAX):
        while any(order.is_open for order in await orders_of(hub, users)):  # noqa: ASYNC110
            await anyio.sleep(SOON)
