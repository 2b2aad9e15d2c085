"""The shop in a terminal: the commands, and what each does."""

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
from .suggestions import did_you_mean

__all__ = ["PAGE", "SHOP_COMMANDS", "ShopClient"]

# How many products to show at one time.
PAGE = 20
# Digits of a quantity; longer ones are refused before they become a number.
QUANTITY_DIGITS_MAX = 9


class ShopClient:
    """
    A shop as a user sees it.

    Args:
        session: the user's.
        show: shows a line.
    """

    def __init__(self, session: Session, show: Callable[[Text], None]) -> None:
        self.session = session
        self.show = show
        # True when the user has quit.
        self.over = False

    async def carry_out(self, line: str) -> None:
        """
        Carry a command out.

        Args:
            line: what the user typed.

        Raises:
            HubbubError: the server refuses it, or there is no such command.
        """
        name, _, rest = line.strip().partition(" ")
        name = name.removeprefix("/").lower()
        if not name:
            return
        if name not in SHOP_COMMANDS:
            hint = did_you_mean(name, SHOP_COMMANDS) or " help lists the commands."
            raise Invalid(f"There is no command {name}.{hint}")
        await SHOP_COMMANDS[name].do(self, rest.strip())

    def show_all(self, lines: Iterable[Text]) -> None:
        """Show several lines."""
        for line in lines:
            self.show(line)

    def show_cart(self, cart: Cart) -> None:
        """Show a cart and its total."""
        self.show_all(cart_lines(cart))

    async def find_order(self, called: str) -> Order:
        """
        Find an order.

        Args:
            called: its number in the list, or its id; an empty text is the newest order.

        Raises:
            NotFound: there is no such order.
        """
        if called and not called.isdigit():
            return await self.session.shop.order(called)
        orders = await self.session.shop.orders()
        place = int(called) if called else len(orders)
        if not 1 <= place <= len(orders):
            raise NotFound("There is no such order. The command orders lists yours.")
        return orders[place - 1]


class ShopCommand(NamedTuple):
    """
    A command of the shop.

    Args:
        arguments: for the list of commands.
        does: for the list of commands.
        do: carries it out, with the text behind its name.
    """

    arguments: str
    does: str
    do: Callable[[ShopClient, str], Awaitable[None]]


async def _list(client: ShopClient, rest: str) -> None:
    products = await client.session.shop.products(after=rest or None, limit=PAGE)
    if not products:
        client.show(note("There are no more products." if rest else "There are no products."))
        return
    client.show_all(product_lines(products))
    if len(products) == PAGE:
        client.show(note(f"Next page: list {products[-1].sku}"))


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
    # The session repeats the checkout with this key, and the user pays once.
    key = secrets.token_urlsafe(16)
    order = await client.session.shop.checkout(payment=rest, key=key)
    if order.status == "pending":
        client.show(note("The payment takes longer. The command orders shows its status."))
        return
    client.show(Text(f"Paid {order.total}: thank you. Your order is {order.id}.", style="green"))


async def _orders(client: ShopClient, rest: str) -> None:
    orders = await client.session.shop.orders()
    if not orders:
        client.show(note("You have no orders."))
    client.show_all(order_line(number, order) for number, order in enumerate(orders, 1))


async def _order(client: ShopClient, rest: str) -> None:
    order = await client.find_order(rest)
    client.show(note(f"Order {order.id}, {order.status}"))
    client.show_all(order_lines(order))


async def _cards(client: ShopClient, rest: str) -> None:
    client.show(note("Test cards, which move no money:"))
    client.show_all(card_lines(CARDS))


async def _help(client: ShopClient, rest: str) -> None:
    for name, command in SHOP_COMMANDS.items():
        client.show(note(f"{name} {command.arguments}".ljust(20) + command.does))


async def _quit(client: ShopClient, rest: str) -> None:
    client.over = True


SHOP_COMMANDS = {
    "list": ShopCommand("[AFTER]", "list the products, after a SKU", _list),
    "add": ShopCommand("SKU [N]", "put a product into the cart", _add),
    "remove": ShopCommand("SKU [N]", "take a product out of the cart", _remove),
    "set": ShopCommand("SKU N", "set a product's quantity", _set),
    "cart": ShopCommand("", "show the cart", _cart),
    "coupon": ShopCommand("[CODE]", "apply a coupon; without a code, remove it", _coupon),
    "accept": ShopCommand("", "accept the new prices of products in the cart", _accept),
    "clear": ShopCommand("", "empty the cart", _clear),
    "pay": ShopCommand("CARD", "check out and pay with a test card", _pay),
    "cards": ShopCommand("", "list the test cards", _cards),
    "orders": ShopCommand("", "list your orders", _orders),
    "order": ShopCommand("[N]", "show order N, or the newest", _order),
    "help": ShopCommand("", "list the commands", _help),
    "quit": ShopCommand("", "quit, like Ctrl+C and Ctrl+D; the cart stays", _quit),
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
    return Invalid(f"Usage: {name} {SHOP_COMMANDS[name].arguments}")
