"""The books of buyers: what they tried, and the answers that they got. Pure."""

from __future__ import annotations

import math
from collections import Counter, defaultdict

import msgspec

from ..money import Money
from ..shop.orders.order import Order, OrderStatus

__all__ = ["Addition", "Checkout", "ShopBooks"]

# A user, a SKU, and a quantity that was added to the cart.
Addition = tuple[str, str, int]
# The statuses that can follow a status.
NEXT: dict[OrderStatus, tuple[OrderStatus, ...]] = {
    "pending": ("pending", "paid", "declined", "refunded"),
    "paid": ("paid", "refunded"),
    "declined": ("declined",),
    "refunded": ("refunded",),
}


class Checkout(msgspec.Struct):
    """
    A checkout.

    Args:
        user: the buyer.
        key: its key.
        payment: the payment method.
        order: the order, once the system has named it.
        declined: whether the system has said that nothing was charged.
    """

    user: str
    key: str
    payment: str
    order: str | None = None
    declined: bool = False


class ShopBooks:
    """
    The books of all users.

    Attributes:
        added: how often something was added to a cart, and acknowledged.
        tried: how often it was tried.
        removed: (a user, a SKU) -> how often they have tried to remove it.
        adjusted: a SKU -> the acknowledged changes of the stock, each of another quantity.
        adjusting: a SKU -> the changes that were tried.
        checkouts: every checkout.
        orders: the orders that somebody has seen, as they were when they were seen last.
        refunds: an order -> the amounts of the refunds that were tried; None for all of it.
        complaints: answers that contradict one another.
    """

    def __init__(self) -> None:
        self.added: Counter[Addition] = Counter()
        self.tried: Counter[Addition] = Counter()
        self.removed: Counter[tuple[str, str]] = Counter()
        self.adjusted: dict[str, set[int]] = defaultdict(set)
        self.adjusting: dict[str, set[int]] = defaultdict(set)
        self.checkouts: list[Checkout] = []
        self.orders: dict[str, Order] = {}
        self.refunds: dict[str, list[Money | None]] = defaultdict(list)
        self.complaints: list[str] = []
        # An order -> when somebody saw it as it is in ``orders``.
        self._seen_at: dict[str, float] = {}

    def see(self, order: Order, began: float = math.inf, now: float = 0.0) -> None:
        """
        Note what a user has seen of an order.

        Args:
            order: the order.
            began: when the call began that has returned it. If that was before somebody saw a
                later status, the answer is only late.
            now: the time.
        """
        before = self.orders.get(order.id)
        if before is not None and order.status not in NEXT[before.status]:
            if began > self._seen_at[order.id]:
                self.complaints.append(f"{order.id} was {before.status}, and is {order.status}.")
            return
        self.orders[order.id], self._seen_at[order.id] = order, now

    def see_checkout(
        self, checkout: Checkout, order: Order, began: float = math.inf, now: float = 0.0
    ) -> None:
        """Note the order that a checkout has returned; see :meth:`see`."""
        if checkout.order not in (None, order.id):
            self.complaints.append(
                f"The key {checkout.key} placed {checkout.order}, and {order.id}."
            )
        if checkout.declined:
            self.complaints.append(f"{order.id} was declined, and is {order.status}.")
        checkout.order = order.id
        self.see(order, began, now)
