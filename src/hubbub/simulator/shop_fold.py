"""Orders, carts and stock, folded from their events without Hubbub's own code. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from ..money import Money

__all__ = ["Goods", "OrderFold", "fold_orders", "wrong_carts", "wrong_stock"]

# The events that end an order's payment -> whether the order is paid then.
ENDS = {"paid": True, "order_marked_paid": True, "declined": False, "order_cancelled": False}


class Goods(msgspec.Struct, frozen=True):
    """
    A product that the shop begins with.

    Args:
        sku: its SKU.
        price: the price of one.
        stock: how many there are; None for no limit.
    """

    sku: str
    price: Money
    stock: int | None


class OrderFold(msgspec.Struct):
    """
    An order as its events have it.

    Args:
        id: its id.
        user: the buyer.
        items: a SKU -> the quantity.
        total: what the buyer pays, in the currency's smallest unit.
        reserved: the SKUs whose stock is reserved.
        ends: how its payment has ended; one word, once it has.
        payment: the id of the payment, if the order has one.
        reconciled: ``pending`` after an end by hand, until the provider has answered.
        refunds: a refund -> its amount and its status.
        broken: the promises that the events break.
    """

    id: str
    user: str = ""
    items: dict[str, int] = {}
    total: int = 0
    reserved: list[str] = []
    ends: list[str] = []
    payment: str | None = None
    reconciled: str | None = None
    refunds: dict[str, tuple[int, str]] = {}
    broken: list[str] = []

    @property
    def is_paid(self) -> bool | None:
        """Whether it is paid, or was before it was refunded; None while that is open."""
        return ENDS[self.ends[0]] if self.ends else None

    @property
    def is_open(self) -> bool:
        """Whether the provider must still answer."""
        refunding = any(status == "pending" for _, status in self.refunds.values())
        return not self.ends or self.reconciled == "pending" or refunding

    @property
    def refunded(self) -> int:
        """The refunded amount, in the currency's smallest unit."""
        return sum(amount for amount, status in self.refunds.values() if status == "done")

    def take(self, event: Mapping[str, Any], prices: Mapping[str, int]) -> None:
        """Take one event in."""
        type_ = event["type"]
        if type_ == "placed":
            self._place(event, prices)
        elif self._is_charged_late(type_):
            # A charge came after the end; the provider must refund it.
            self.reconciled = "pending"
        elif type_ in ENDS:
            self.ends.append(type_)
            self.payment = event.get("payment_id")
            by_hand = type_.startswith("order_")
            self.reconciled = "pending" if by_hand else self.reconciled
            if len(self.ends) > 1:
                self.broken.append(f"{self.id} has ended twice: {self.ends}.")
        elif type_ == "order_reconciled":
            self.reconciled = "done" if event["problem"] is None else "failed"
        elif type_ == "refund_began":
            self.refunds[event["refund"]] = event["amount"]["amount"], "pending"
        else:
            status = "done" if type_ == "refunded" else "failed"
            self.refunds[event["refund"]] = self.refunds[event["refund"]][0], status

    def _is_charged_late(self, type_: str) -> bool:
        by_hand = type_ in ("order_cancelled", "order_marked_paid")
        return by_hand and self.reconciled != "pending" and self.is_paid is ENDS[type_]

    def _place(self, event: Mapping[str, Any], prices: Mapping[str, int]) -> None:
        if self.items:
            self.broken.append(f"{self.id} is placed twice.")
        self.user, self.reserved = event["user"], event["reserved"]
        self.items = {item["sku"]: item["quantity"] for item in event["items"]}
        self.total = event["total"]["amount"]
        subtotal = sum(prices[sku] * quantity for sku, quantity in self.items.items())
        # Ten per cent, rounded half up.
        total = subtotal + (2 * subtotal + 10) // 20
        if (event["subtotal"]["amount"], self.total) != (subtotal, total):
            self.broken.append(f"{self.id} costs {self.total}, and its items {total}.")


def fold_orders(
    streams: Mapping[str, Sequence[Mapping[str, Any]]], goods: Sequence[Goods]
) -> Mapping[str, OrderFold]:
    """Fold the events of all orders."""
    prices = {one.sku: one.price.amount for one in goods}
    orders = {}
    for stream, events in streams.items():
        if stream.startswith("order/"):
            order = orders[stream] = OrderFold(stream.removeprefix("order/"))
            for event in events:
                order.take(event, prices)
    return {order.id: order for order in orders.values()}


def wrong_stock(
    goods: Goods, events: Sequence[Mapping[str, Any]], orders: Mapping[str, OrderFold]
) -> Iterator[str]:
    """Compare the stock of a product with what was sold and reserved."""
    if goods.stock is None:
        return
    stock = adjusted = 0
    for event in events:
        sign = -1 if event["type"] == "stock_reserved" else 1
        if event["type"] == "product_set":
            stock = event["stock"]
        else:
            stock += sign * event["quantity"]
        if event["type"] == "stock_adjusted":
            adjusted += event["quantity"]
        if stock < 0:
            yield f"There are {stock} of {goods.sku} after event {event['seq']}."
    taken = 0
    for order in orders.values():
        if goods.sku in order.items and goods.sku not in order.reserved:
            yield f"{order.id} has {goods.sku} that was not reserved."
        if order.is_paid is not False:
            taken += order.items.get(goods.sku, 0)
    if stock != goods.stock + adjusted - taken:
        yield (
            f"There are {stock} of {goods.sku}: of {goods.stock}, {adjusted} were added, and "
            f"{taken} are sold or reserved."
        )


def wrong_carts(order: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Compare what was ordered with what was in the cart."""
    carts: dict[str, Counter[str]] = defaultdict(Counter)
    for event in order:
        kind, _, name = event["stream"].partition("/")
        if kind == "cart":
            _change(carts[name], event)
        elif event["type"] == "placed":
            items = {item["sku"]: item["quantity"] for item in event["items"]}
            held = +carts[event["user"]]
            if items != held:
                yield f"{event['stream']} has {items}, and the cart of {event['user']} {held}."


def _change(cart: Counter[str], event: Mapping[str, Any]) -> None:
    match event["type"]:
        case "item_added":
            cart[event["sku"]] += event["quantity"]
        case "item_removed":
            cart[event["sku"]] -= event["quantity"]
        case "cleared":
            cart.clear()
        case "checkout_ended":
            for sku, quantity in event["quantities"].items():
                # The user may have removed some in the meantime.
                cart[sku] = max(0, cart[sku] - quantity)
