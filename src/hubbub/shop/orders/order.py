"""An order: what was bought, and what became of it. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar, Literal

import msgspec

from ...errors import Invalid, NotFound
from ...journal.event import Event, State
from ...journal.schedule import HUB
from ...money import Money, total
from ...permissions import check
from ..carts.cart import Line
from ..events import (
    Declined,
    MarkedPaid,
    OrderCancelled,
    OrderEvent,
    Paid,
    Placed,
    Reconciled,
    RefundBegan,
    Refunded,
    RefundFailed,
)
from ..grants import SHOP_READERS

__all__ = [
    "ORDER_ID_CHARS_MAX",
    "Change",
    "Order",
    "OrderState",
    "OrderStatus",
    "Refund",
    "RefundStatus",
    "order_of",
    "order_stream",
]

OrderStatus = Literal["pending", "paid", "declined", "refunded"]
RefundStatus = Literal["pending", "done", "failed"]
Reconciliation = Literal["pending", "done", "failed"]

# Characters of an order id that is looked up; an id of ours has 26.
ORDER_ID_CHARS_MAX = 64


class Change(msgspec.Struct, frozen=True, gc=False):
    """
    A status that an order has, or had.

    Args:
        status: which.
        at: since when, UTC.
    """

    status: OrderStatus
    at: datetime


class Refund(msgspec.Struct, frozen=True, gc=False):
    """
    An amount that was given back, or is to be.

    Args:
        id: ours.
        amount: how much.
        status: ``pending``, ``done`` or ``failed``.
        refund_id: the provider's, when it is done.
        reason: why it failed.
        at: when it became so, UTC.
    """

    id: str
    amount: Money
    status: RefundStatus
    refund_id: str | None
    reason: str | None
    at: datetime


class Order(msgspec.Struct, frozen=True, gc=False):
    """
    An order as its buyer sees it.

    Args:
        id: what the shop's methods take.
        stream: what ``follow`` and ``read`` take.
        user: who buys.
        lines: what is bought.
        subtotal: all lines.
        discount: what the coupon took off.
        tax: how much tax there is.
        tax_included: True if the tax is a part of the prices.
        total: what is paid.
        status: ``pending`` while it is being paid, then ``paid`` or ``declined``; ``refunded``
            when all of it was given back.
        payment_id: the provider's, when it was paid.
        at: when it was placed, UTC.
        history: each status it had, the first first.
        refunds: what was given back, or is to be.
        refunded: how much was given back so far.
        reason: why it was declined.
        coupon: the code of the coupon that was used.
        country: what it was taxed for.
        reserved_until: until when what is bought is put aside while it is being paid, UTC.
        reconciliation: of an order that was cancelled or settled by hand: ``pending`` until the
            payment provider has said what became of its payment, and what it took besides is
            given back; then ``done``, or ``failed`` if the provider gives nothing back.
    """

    id: str
    stream: str
    user: str
    lines: list[Line]
    subtotal: Money
    discount: Money
    tax: Money
    tax_included: bool
    total: Money
    status: OrderStatus
    payment_id: str | None
    at: datetime
    history: list[Change]
    refunds: list[Refund]
    refunded: Money
    reason: str | None
    coupon: str | None
    country: str | None
    reserved_until: datetime | None
    reconciliation: Reconciliation | None = None

    @property
    def is_open(self) -> bool:
        """True while the hub has something to do about it at the payment provider."""
        unpaid = self.status == "pending" or self.reconciliation == "pending"
        return unpaid or any(one.status == "pending" for one in self.refunds)


class OrderState(State):
    """
    The fold of an ``order/ID`` stream.

    Args:
        placed: what is bought; None before that.
        refunds: by id.
    """

    data_type: ClassVar[Any] = OrderEvent

    placed: Placed | None = None
    status: OrderStatus = "pending"
    payment_id: str | None = None
    reason: str | None = None
    history: list[Change] = []
    refunds: dict[str, Refund] = {}
    reconciliation: Reconciliation | None = None

    def apply(self, event: Event) -> None:
        """Take one event in."""
        match event.data:
            case Placed():
                self.placed = event.data
                self._become("pending", event.at)
            case Paid(payment_id):
                self.payment_id = payment_id
                self._become("paid", event.at)
            case Declined(reason):
                self.reason = reason
                self._become("declined", event.at)
            case OrderCancelled(reason):
                self.reason, self.reconciliation = reason, "pending"
                self._become("declined", event.at)
            case MarkedPaid(payment_id):
                self.payment_id, self.reconciliation = payment_id, "pending"
                self._become("paid", event.at)
            case data:
                self._apply_later(event, data)

    def _apply_later(self, event: Event, data: object) -> None:
        """Take in what comes after an order has ended."""
        match data:
            case Reconciled(problem=problem):
                self.reconciliation = "done" if problem is None else "failed"
            case RefundBegan(refund, amount):
                self.refunds[refund] = Refund(refund, amount, "pending", None, None, event.at)
            case Refunded(refund, refund_id):
                self._end_refund(refund, event.at, "done", refund_id=refund_id)
                if self.refunded() == self.terms().total:
                    self._become("refunded", event.at)
            case RefundFailed(refund, reason):
                self._end_refund(refund, event.at, "failed", reason=reason)
            case unknown:
                raise AssertionError(f"not an order's event: {unknown!r}")

    def _become(self, status: OrderStatus, at: datetime) -> None:
        self.status = status
        self.history.append(Change(status, at))

    def _end_refund(
        self,
        refund: str,
        at: datetime,
        status: RefundStatus,
        *,
        refund_id: str | None = None,
        reason: str | None = None,
    ) -> None:
        amount = self.refunds[refund].amount
        self.refunds[refund] = Refund(refund, amount, status, refund_id, reason, at)

    def check_reader(self, stream: str, user: str) -> None:
        """An order is its buyer's alone."""
        check(SHOP_READERS["order"], *(("owner",) if user in (self.terms().user, HUB) else ()))

    def terms(self) -> Placed:
        """
        Return what is bought.

        Raises:
            NotFound: there is no such order.
        """
        if self.placed is None:
            raise NotFound("There is no such order.")
        return self.placed

    def refunded(self, *statuses: RefundStatus) -> Money:
        """Return how much was given back, or is to be."""
        wanted = statuses or ("done",)
        amounts = (one.amount for one in self.refunds.values() if one.status in wanted)
        return total(amounts, self.terms().total.currency)


def order_of(stream: str, state: OrderState) -> Order:
    """
    Show an order.

    Raises:
        NotFound: there is no such order.
    """
    placed = state.terms()
    return Order(
        stream.removeprefix("order/"),
        stream,
        placed.user,
        [
            Line(item.sku, item.name, item.price, item.quantity, item.price * item.quantity)
            for item in placed.items
        ],
        placed.subtotal,
        placed.discount,
        placed.tax,
        placed.tax_included,
        placed.total,
        state.status,
        state.payment_id,
        state.history[0].at,
        list(state.history),
        list(state.refunds.values()),
        state.refunded(),
        state.reason,
        placed.coupon,
        placed.country,
        placed.due,
        state.reconciliation,
    )


def order_stream(order_id: object) -> str:
    """
    Return an order's stream.

    Raises:
        Invalid: it can be no order's id.
    """
    if not isinstance(order_id, str) or not 0 < len(order_id) <= ORDER_ID_CHARS_MAX:
        raise Invalid(f"An order's id has 1 to {ORDER_ID_CHARS_MAX} characters; see `orders`.")
    return f"order/{order_id}"
