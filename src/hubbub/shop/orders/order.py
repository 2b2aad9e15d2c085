"""An order: its products, its payment and its refunds. Pure."""

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
from ..carts.totals import rounding_of
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

# The longest id of an order that is looked up; ours have 26 characters.
ORDER_ID_CHARS_MAX = 64


class Change(msgspec.Struct, frozen=True, gc=False):
    """
    A status of an order.

    Args:
        status: the status.
        at: when it began, UTC.
    """

    status: OrderStatus
    at: datetime


class Refund(msgspec.Struct, frozen=True, gc=False):
    """
    A refund.

    Args:
        id: our id.
        amount: the amount.
        status: ``pending``, ``done`` or ``failed``.
        refund_id: the provider's id, once it is done.
        reason: why it failed.
        at: when it got this status, UTC.
    """

    id: str
    amount: Money
    status: RefundStatus
    refund_id: str | None
    reason: str | None
    at: datetime


class Order(msgspec.Struct, frozen=True, gc=False):
    """
    An order, as its buyer sees it.

    Args:
        id: the order_id for the methods of shop.
        stream: the stream for ``follow`` and ``read``.
        user: the buyer.
        lines: the lines.
        subtotal: the sum of all lines.
        discount: the discount of the coupon.
        tax: the amount of tax.
        tax_included: True if prices include the tax.
        total: the amount to pay.
        status: ``pending`` while it is being paid, then ``paid`` or ``declined``; ``refunded``
            after a refund in full.
        payment_id: the provider's id of the payment, once it was paid.
        at: when it was placed, UTC.
        history: all its statuses, the first first.
        refunds: all its refunds.
        refunded: the amount refunded so far.
        reason: why it was declined.
        coupon: the code of the coupon that was used.
        country: the country whose tax applies.
        reserved_until: until when its stock is reserved while it is being paid, UTC.
        reconciliation: for an order that was cancelled or settled by hand: ``pending`` until the
            payment provider has given the status of its payment, and any excess charge is
            refunded; then ``done``, or ``failed`` if the provider refuses the refund.
        rounding: what rounding to an amount that the payment provider can charge added to the
            total, or took from it; None if that was nothing.
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
    rounding: Money | None = None

    @property
    def is_open(self) -> bool:
        """True while the hub has something to settle with the payment provider."""
        unpaid = self.status == "pending" or self.reconciliation == "pending"
        return unpaid or any(one.status == "pending" for one in self.refunds)


class OrderState(State):
    """
    The fold of an ``order/ID`` stream.

    Args:
        placed: the terms of the order; None before it is placed.
        refunds: the refunds by id.
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
        """Fold one event."""
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
        """Fold an event that comes after the order has ended."""
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
        if self.history and status == self.status:
            # A charge came after the order had ended, and will be refunded.
            return
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
        """Refuse every reader but the buyer."""
        check(SHOP_READERS["order"], *(("owner",) if user in (self.terms().user, HUB) else ()))

    def terms(self) -> Placed:
        """
        Return the terms of the order.

        Raises:
            NotFound: the order does not exist.
        """
        if self.placed is None:
            raise NotFound("There is no such order; see shop.orders() for yours.")
        return self.placed

    def refunded(self, *statuses: RefundStatus) -> Money:
        """Return the sum of the refunds with some statuses."""
        wanted = statuses or ("done",)
        amounts = (one.amount for one in self.refunds.values() if one.status in wanted)
        return total(amounts, self.terms().total.currency)


def order_of(stream: str, state: OrderState) -> Order:
    """
    Return the public form of an order.

    Raises:
        NotFound: the order does not exist.
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
        rounding_of(placed),
    )


def order_stream(order_id: object) -> str:
    """
    Return an order's stream.

    Raises:
        Invalid: the value cannot be the id of an order.
    """
    if not isinstance(order_id, str) or not 0 < len(order_id) <= ORDER_ID_CHARS_MAX:
        raise Invalid(f"An order id has 1 to {ORDER_ID_CHARS_MAX} characters; see shop.orders().")
    return f"order/{order_id}"
