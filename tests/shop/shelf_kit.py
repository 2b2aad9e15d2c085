"""Decide about carts and orders one after another, as the journal would."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import msgspec

from hubbub.journal.decide.states import States
from hubbub.journal.event import Data, Draft
from hubbub.journal.schedule import Schedule
from hubbub.journal.shards import stream_shards
from hubbub.money import Money
from hubbub.shop.carts import commands as cart_commands
from hubbub.shop.carts.cart import Cart, CartState, cart_of, cart_stream
from hubbub.shop.carts.tax import FlatTax
from hubbub.shop.carts.totals import ShopTerms, offered
from hubbub.shop.catalog import coupon, product
from hubbub.shop.catalog.product import Given, ProductState
from hubbub.shop.events import CouponSet, Reconciled
from hubbub.shop.orders import commands as order_commands
from hubbub.shop.orders import reconciliation
from hubbub.shop.orders.order import Order, OrderState, order_of
from tests.games.board_kit import NOON, Desk

__all__ = ["NOON", "PRICES", "TERMS", "Shelf", "full_shelf", "placed", "placed_with_coupon", "usd"]

PRICES = {"laptop": "999.99", "mouse": "29.99", "keyboard": "79.99", "monitor": "299.99"}
TERMS = ShopTerms(
    offer=offered,
    tax=FlatTax(),
    currency="USD",
    lines_max=3,
    quantity_max=10,
    cart_life=timedelta(days=30),
    reservation=timedelta(minutes=15),
)


def usd(amount: str | int) -> Money:
    return Money(amount, "USD")


class Shelf(Desk):
    """A shop in memory, decided about by hand."""

    def __init__(self, terms: ShopTerms = TERMS) -> None:
        super().__init__()
        self.terms = terms

    def terms_with(self, **changed: Any) -> ShopTerms:
        self.terms = msgspec.structs.replace(self.terms, **changed)
        return self.terms

    def wait(self, time: timedelta) -> None:
        self.states.now += time

    def product(self, sku: str, price: object, stock: Any = None, **more: Any) -> list[Data]:
        given = Given(sku.title(), price, stock, **more)  # type: ignore[arg-type]
        return self.do(lambda states: product.set_product(states, sku, given, 100))

    def stock(self, sku: str) -> int | None:
        offer = self.ask(lambda states: states.of(ProductState, f"product/{sku}")).offer
        assert offer is not None
        return offer.stock

    def coupon(self, code: str, **terms: Any) -> list[Data]:
        stream = coupon.coupon_stream(code)
        return self.do(lambda _: coupon.set_coupon(stream, CouponSet(**terms)))

    def add(self, sku: Any, quantity: object = 1, user: str = "ann") -> list[Data]:
        return self.on_cart(cart_commands.add, sku, quantity, user=user)

    def on_cart(
        self, decide: Callable[..., Sequence[Draft]], *arguments: object, user: str = "ann"
    ) -> list[Data]:
        def decision(states: States) -> Sequence[Draft]:
            return decide(states, user, *arguments, terms=self.terms)

        return self.do(decision, by=user)

    def cart(self, user: str = "ann") -> Cart:
        return self.ask(lambda states: cart_of(states, cart_stream(user), self.terms))

    def cart_state(self, user: str = "ann") -> CartState:
        return self.ask(lambda states: states.of(CartState, cart_stream(user)))

    def place(self, order: str = "1", user: str = "ann") -> list[Data]:
        return self.do(
            lambda states: order_commands.place(states, f"order/{order}", user, self.terms)
        )

    def pay(self, order: str = "1", payment_id: str | None = "p") -> list[Data]:
        return self.do(lambda states: order_commands.pay(states, f"order/{order}", payment_id))

    def adjust(self, sku: str, quantity: Any) -> list[Data]:
        stream = product.product_stream(sku)
        return self.do(lambda states: product.adjust_stock(states, stream, quantity))

    def decline(self, order: str = "1") -> list[Data]:
        return self.do(lambda states: order_commands.decline(states, f"order/{order}", "no money"))

    def begin_refund(self, refund: str, amount: Any = None, order: str = "1") -> list[Data]:
        stream = f"order/{order}"
        return self.do(lambda states: order_commands.begin_refund(states, stream, refund, amount))

    def finish_refund(self, refund: str, order: str = "1") -> list[Data]:
        stream = f"order/{order}"
        return self.do(lambda states: order_commands.finish_refund(states, stream, refund, "r"))

    def fail_refund(self, refund: str, order: str = "1") -> list[Data]:
        stream = f"order/{order}"
        return self.do(lambda states: order_commands.fail_refund(states, stream, refund, "no"))

    def order(self, order: str = "1") -> Order:
        stream = f"order/{order}"
        return self.ask(lambda states: order_of(stream, states.of(OrderState, stream)))

    def cancel(self, by: str = "root", order: str = "1", *, admin: bool = True) -> list[Data]:
        stream = f"order/{order}"

        def decide(states: States) -> Sequence[Draft]:
            return reconciliation.cancel_order(states, stream, by, admin=admin)

        return self.do(decide, by=by)

    def settle(self, payment_id: Any = "p", order: str = "1") -> list[Data]:
        stream = f"order/{order}"
        return self.do(lambda states: reconciliation.settle(states, stream, payment_id))

    def reconcile(self, outcome: Reconciled, order: str = "1") -> list[Data]:
        stream = f"order/{order}"
        return self.do(lambda states: reconciliation.reconcile(states, stream, outcome))

    def schedule(self) -> list[str]:
        shards = stream_shards(order_commands.ORDER_SCHEDULE)
        return [
            to
            for shard in shards
            for to in self.ask(lambda states: states.of(Schedule, shard)).due  # noqa: B023
        ]


def full_shelf(stock: int | None = 10) -> Shelf:
    """Make a shop with four products."""
    shelf = Shelf()
    for sku, price in PRICES.items():
        shelf.product(sku, usd(price), stock)
    return shelf


def placed(stock: int | None = 10) -> Shelf:
    """Make a shop where ann has placed an order of a laptop and two mice."""
    shelf = full_shelf(stock)
    shelf.add("laptop")
    shelf.add("mouse", 2)
    shelf.place()
    return shelf


def placed_with_coupon() -> Shelf:
    """Make a shop where ann has placed an order of a mouse, with a coupon that is good once."""
    shelf = full_shelf()
    shelf.coupon("spring", percent=10)
    shelf.add("mouse")
    shelf.on_cart(cart_commands.apply_coupon, "spring")
    shelf.place()
    return shelf
