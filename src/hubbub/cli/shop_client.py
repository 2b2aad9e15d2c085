"""Somebody who shops: what can be typed, and what it does."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Iterable
from typing import NamedTuple

from rich.text import Text

from ..errors import Invalid, NotFound
from ..session import Session
from ..shop.carts.cart import Cart
from ..shop.orders.order import Order
from ..shop.payments.sandbox import CARDS
from .cart_lines import card_lines, cart_lines, order_line, order_lines, product_lines
from .lines import note

__all__ = ["PAGE", "SHOP_COMMANDS", "ShopClient"]

# The products that are shown at one time.
PAGE = 20
# Digits of a quantity that is typed; more are refused before they are read as a number.
QUANTITY_DIGITS_MAX = 9


class ShopClient:
    """
    What a user sees of a shop, and does in it.

    Args:
        session: whose it is.
        show: shows a line.
    """

    def __init__(self, session: Session, show: Callable[[Text], None]) -> None:
        self.session = session
        self.show = show
        # True when the user has quit.
        self.over = False

    async def carry_out(self, line: str) -> None:
        """
        Do what was typed.

        Raises:
            HubbubError: it cannot be done; the message says why.
        """
        name, _, rest = line.strip().partition(" ")
        name = name.removeprefix("/").lower()
        if not name:
            return
        if name not in SHOP_COMMANDS:
            raise Invalid(f"There is no {name!r}; help shows what there is.")
        await SHOP_COMMANDS[name].do(self, rest.strip())

    def show_all(self, lines: Iterable[Text]) -> None:
        """Show several lines."""
        for line in lines:
            self.show(line)

    def show_cart(self, cart: Cart) -> None:
        """Show a cart, and what it comes to."""
        self.show_all(cart_lines(cart))

    async def find_order(self, called: str) -> Order:
        """
        Find an order by its number in the list, or its id; by default the newest.

        Raises:
            NotFound: there is none.
        """
        if called and not called.isdigit():
            return await self.session.shop.order(called)
        orders = await self.session.shop.orders()
        place = int(called) if called else len(orders)
        if not 1 <= place <= len(orders):
            raise NotFound("There is no such order; orders shows what there is.")
        return orders[place - 1]


class ShopCommand(NamedTuple):
    """What a word does."""

    arguments: str
    does: str
    do: Callable[[ShopClient, str], Awaitable[None]]


async def _list(client: ShopClient, rest: str) -> None:
    products = await client.session.shop.products(after=rest or None, limit=PAGE)
    if not products:
        client.show(note("There is nothing more to buy." if rest else "There is nothing to buy."))
        return
    client.show_all(product_lines(products))
    if len(products) == PAGE:
        client.show(note(f"There may be more: list {products[-1].sku}"))


async def _add(client: ShopClient, rest: str) -> None:
    sku, count = _sku_and_count(rest, "add")
    client.show_cart(await client.session.shop.add_item(sku, 1 if count is None else count))


async def _remove(client: ShopClient, rest: str) -> None:
    sku, count = _sku_and_count(rest, "remove")
    client.show_cart(await client.session.shop.remove_item(sku, count))


async def _set(client: ShopClient, rest: str) -> None:
    sku, count = _sku_and_count(rest, "set")
    if count is None:
        raise _usage("set")
    client.show_cart(await client.session.shop.set_quantity(sku, count))


async def _cart(client: ShopClient, rest: str) -> None:
    client.show_cart(await client.session.shop.cart())


async def _coupon(client: ShopClient, rest: str) -> None:
    shop = client.session.shop
    client.show_cart(await (shop.apply_coupon(rest) if rest else shop.remove_coupon()))


async def _accept(client: ShopClient, rest: str) -> None:
    client.show_cart(await client.session.shop.accept_prices())


async def _clear(client: ShopClient, rest: str) -> None:
    client.show_cart(await client.session.shop.clear())


async def _pay(client: ShopClient, rest: str) -> None:
    if not rest:
        raise _usage("pay")
    client.show(note("Paying …"))
    # The session repeats it with this key until it knows: one pays once.
    key = secrets.token_urlsafe(16)
    order = await client.session.shop.checkout(payment=rest, key=key)
    if order.status == "pending":
        client.show(note("The payment is not through yet; orders shows what became of it."))
        return
    client.show(Text(f"Paid {order.total}: thank you. The order is {order.id}.", style="green"))


async def _orders(client: ShopClient, rest: str) -> None:
    orders = await client.session.shop.orders()
    if not orders:
        client.show(note("You have bought nothing yet."))
    client.show_all(order_line(number, order) for number, order in enumerate(orders, 1))


async def _order(client: ShopClient, rest: str) -> None:
    order = await client.find_order(rest)
    client.show(note(f"Order {order.id}, {order.status}"))
    client.show_all(order_lines(order))


async def _cards(client: ShopClient, rest: str) -> None:
    client.show(note("The cards of the sandbox, which moves no money:"))
    client.show_all(card_lines(CARDS))


async def _help(client: ShopClient, rest: str) -> None:
    for name, command in SHOP_COMMANDS.items():
        client.show(note(f"{name} {command.arguments}".ljust(20) + command.does))


async def _quit(client: ShopClient, rest: str) -> None:
    client.over = True


SHOP_COMMANDS = {
    "list": ShopCommand("[AFTER]", "shows the products", _list),
    "add": ShopCommand("SKU [N]", "puts a product into the cart", _add),
    "remove": ShopCommand("SKU [N]", "takes it out again", _remove),
    "set": ShopCommand("SKU N", "has so many of it in the cart", _set),
    "cart": ShopCommand("", "shows the cart", _cart),
    "coupon": ShopCommand("[CODE]", "uses a coupon, or none", _coupon),
    "accept": ShopCommand("", "takes what is in the cart at the prices of now", _accept),
    "clear": ShopCommand("", "empties the cart", _clear),
    "pay": ShopCommand("CARD", "buys what is in the cart", _pay),
    "cards": ShopCommand("", "shows the test cards", _cards),
    "orders": ShopCommand("", "shows what you have bought", _orders),
    "order": ShopCommand("[N]", "shows an order, the newest if none is named", _order),
    "help": ShopCommand("", "shows this", _help),
    "quit": ShopCommand("", "goes away, as Ctrl-C and Ctrl-D do; the cart stays", _quit),
}


def _sku_and_count(rest: str, name: str) -> tuple[str, int | None]:
    sku, _, count = rest.partition(" ")
    count = count.strip()
    if not sku or (count and not (count.isascii() and count.isdigit())):
        raise _usage(name)
    if len(count) > QUANTITY_DIGITS_MAX:
        raise _usage(name)
    return sku, int(count) if count else None


def _usage(name: str) -> Invalid:
    return Invalid(f"Write it like this: {name} {SHOP_COMMANDS[name].arguments}")
