"""
The decisions about an order that is ended by hand, because its provider does not answer. Pure.

The order ends at once, for the buyer, the cart and the stock. The hub keeps asking the provider
for the status of the payment, and voids or refunds any charge that contradicts that end, so that
nobody pays for nothing, or twice.
"""

from __future__ import annotations

from typing import Literal

from ...errors import Conflict, Invalid
from ...journal.decide.states import States
from ...journal.event import Draft
from ...journal.schedule import unscheduled
from ...permissions import check
from ..events import MarkedPaid, OrderCancelled, Reconciled
from ..grants import SHOP_GRANTS
from ..payments.payment import Payment
from .commands import ORDER_SCHEDULE, end_checkout, release
from .order import Order, OrderState

__all__ = [
    "PAYMENT_ID_CHARS_MAX",
    "Need",
    "cancel_order",
    "conclude",
    "need",
    "reconcile",
    "settle",
]

# The longest payment id that an admin can name, in characters.
PAYMENT_ID_CHARS_MAX = 255
CANCELLED = "This order was cancelled; any charge for it is refunded."

# The step that the provider must take before an order that was ended by hand is settled.
Need = Literal["nothing", "wait", "cancel", "capture", "refund"]


def cancel_order(states: States, stream: str, by: str, *, admin: bool) -> list[Draft]:
    """Cancel a pending order; its buyer can once the reservation has expired."""
    order = states.of(OrderState, stream)
    placed = order.terms()
    owner = placed.user == by
    check(
        SHOP_GRANTS["shop.cancel_order"],
        *(("owner",) if owner else ()),
        *(("admin",) if admin else ()),
    )
    _check_pending(order)
    if not admin and placed.due is not None and states.now < placed.due:
        raise Conflict(f"This order is being paid; you can cancel it after {placed.due:%H:%M} UTC.")
    return [
        Draft(stream, OrderCancelled(CANCELLED)),
        *release(placed),
        *end_checkout(states, stream, placed, paid=False),
    ]


def settle(states: States, stream: str, payment_id: object) -> list[Draft]:
    """Mark a pending order as paid, for an admin who has seen the payment."""
    order = states.of(OrderState, stream)
    placed = order.terms()
    if payment_id is not None:
        good = isinstance(payment_id, str) and 0 < len(payment_id) <= PAYMENT_ID_CHARS_MAX
        if not good or not str(payment_id).isprintable():
            raise Invalid("payment_id must be the payment provider's id, like pi_3MtwBw.")
    _check_pending(order)
    paid = MarkedPaid(None if payment_id is None else str(payment_id))
    return [Draft(stream, paid), *end_checkout(states, stream, placed, paid=True)]


def reconcile(states: States, stream: str, outcome: Reconciled) -> list[Draft]:
    """Record the provider's answer about an order that was ended by hand."""
    order = states.of(OrderState, stream)
    if order.reconciliation != "pending":
        return []
    refunding = any(one.status == "pending" for one in order.refunds.values())
    return [
        Draft(stream, outcome),
        *([] if refunding else [unscheduled(ORDER_SCHEDULE, stream)]),
    ]


def need(order: Order, found: Payment) -> Need:
    """
    Return the step to take for a payment of an order that was ended by hand.

    Args:
        order: the order, cancelled or settled, with a payment or without.
        found: the payment that the provider has for the order.
    """
    # The payment that the admin has named is the right one.
    wanted = order.payment_id is not None and order.payment_id == found.id
    match found.status:
        case "captured":
            return "nothing" if wanted else "refund"
        case "authorized":
            return "capture" if wanted else "cancel"
        case "pending":
            return "wait" if wanted else "cancel"
        case _:
            return "nothing"


def conclude(order: Order, found: Payment) -> Reconciled:
    """Return how an order that was ended by hand agrees with the provider."""
    if order.payment_id is not None and order.payment_id == found.id:
        missing = found.status != "captured"
        return Reconciled(problem=f"The payment is {found.status}." if missing else None)
    return Reconciled(found.id if found.status == "cancelled" else None)


def _check_pending(order: OrderState) -> None:
    if order.status != "pending":
        raise Conflict(f"This order is {order.status}; only a pending order can be ended.")
