"""
The decisions about an order and its payment. Pure.

Each is one transaction over all the streams that record it: the order, the cart, the products,
the buyer and the schedule, from which the hub knows after a restart which orders it has to
finish.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import ceil

from msgspec import UNSET, UnsetType

from ...errors import Conflict, Invalid, OutOfStock, Overloaded
from ...journal.decide.states import States
from ...journal.event import Draft
from ...journal.link import Linked
from ...journal.schedule import HUB, Schedule, scheduled, unscheduled
from ...journal.shards import STREAM_SHARDS, stream_shard
from ...money import Money
from ...shown import shown
from ...stream_names import user_stream
from ..carts.cart import CartState, cart_stream, priced, shown_with
from ..carts.totals import ShopTerms, offered
from ..catalog.coupon import CouponState, coupon_stream
from ..catalog.product import known_product_stream
from ..events import (
    CheckoutBegan,
    CheckoutEnded,
    CouponReturned,
    Declined,
    Item,
    ItemRemoved,
    MarkedPaid,
    OrderCancelled,
    Paid,
    Placed,
    RefundBegan,
    Refunded,
    RefundFailed,
    StockReleased,
    StockReserved,
)
from .order import OrderState

__all__ = [
    "ORDER_SCHEDULE",
    "REFUNDS_MAX",
    "begin_refund",
    "decline",
    "end_checkout",
    "fail_refund",
    "finish_refund",
    "pay",
    "place",
    "release",
]

ORDER_SCHEDULE = "agenda/orders"
# Refunds of one order, including failed ones.
REFUNDS_MAX = 100


def place(
    states: States, stream: str, user: str, terms: ShopTerms, claimant: str | UnsetType = UNSET
) -> list[Draft]:
    """
    Place an order of a cart, and reserve its stock until it is paid.

    Args:
        states: the states to decide on.
        stream: the stream of the new order.
        user: the buyer.
        terms: the terms of the shop.
        claimant: the node that will settle it, where nodes share a store.
    """
    cart = states.of(CartState, cart_stream(user))
    states.need(shown_with(cart))
    _check_cart(states, cart, terms)
    totals, problem = priced(states, cart, terms)
    if problem is not None:
        raise Conflict(f"{problem} Remove the coupon from the cart, or meet its condition.")
    # A coupon without a discount is not used up.
    coupon = cart.coupon if totals.discount else None
    items, order = list(cart.items.values()), stream.removeprefix("order/")
    reserved = _reserved(states, items, terms)
    due = states.now + terms.reservation
    placed = Placed(
        user,
        items,
        totals.subtotal,
        totals.discount,
        totals.tax,
        totals.total,
        totals.tax_included,
        coupon,
        cart.country,
        reserved,
        due,
        claimant,
    )
    # Each shard of the schedule has its share: to count them all, every checkout of every node
    # would wait for every other.
    shard = states.of(Schedule, stream_shard(ORDER_SCHEDULE, stream))
    if len(shard.due) >= ceil(terms.orders_open_max / STREAM_SHARDS):
        raise Overloaded("Too many orders are being paid; try again in a few seconds.")
    return [
        Draft(stream, placed),
        *_reserve(items, reserved),
        Draft(cart_stream(user), CheckoutBegan(order, _once(states, coupon))),
        Draft(user_stream(user), Linked(stream)),
        scheduled(ORDER_SCHEDULE, stream, due),
    ]


def pay(states: States, stream: str, payment_id: str | None) -> list[Draft]:
    """
    Record that an order was paid; if that is known already, nothing happens.

    If the order has ended otherwise in the meantime, the charge is refunded.
    """
    order = states.of(OrderState, stream)
    placed = order.terms()
    if order.status != "pending":
        return _charged_late(states, stream, payment_id)
    return [
        Draft(stream, Paid(payment_id)),
        *end_checkout(states, stream, placed, paid=True),
        unscheduled(ORDER_SCHEDULE, stream),
    ]


def _charged_late(states: States, stream: str, payment_id: str | None) -> list[Draft]:
    order = states.of(OrderState, stream)
    if payment_id in (None, order.payment_id) or order.reconciliation == "pending":
        return []
    if order.status == "declined":
        again: OrderCancelled | MarkedPaid = OrderCancelled(order.reason or "")
    elif order.status == "paid" and order.reconciliation is not None:
        again = MarkedPaid(order.payment_id)
    else:
        return []
    return [Draft(stream, again), scheduled(ORDER_SCHEDULE, stream, states.now)]


def decline(states: States, stream: str, reason: str) -> list[Draft]:
    """Record that an order was not paid, and release its stock."""
    order = states.of(OrderState, stream)
    placed = order.terms()
    if order.status != "pending":
        return []
    return [
        Draft(stream, Declined(reason)),
        *release(placed),
        *end_checkout(states, stream, placed, paid=False),
        unscheduled(ORDER_SCHEDULE, stream),
    ]


def begin_refund(
    states: States,
    stream: str,
    refund: str,
    amount: Money | None,
    payable: Callable[[Money], Money] | None = None,
) -> list[Draft]:
    """
    Begin to refund an amount, or everything that is left; never more than was paid.

    Args:
        states: the states to decide on.
        stream: the order.
        refund: the id of the refund.
        amount: the amount; None for everything that is left.
        payable: rounds an amount to what the payment provider can refund.
    """
    order = states.of(OrderState, stream)
    placed = order.terms()
    if order.status in ("pending", "declined") or not placed.total:
        raise Conflict(f"This order was not paid for: it is {order.status}.")
    if order.payment_id is None:
        raise Conflict("The payment provider did not charge this order; refund it yourself.")
    if len(order.refunds) >= REFUNDS_MAX:
        raise Conflict(f"An order can have {REFUNDS_MAX} refunds; refund the rest at the provider.")
    left = placed.total - order.refunded("done", "pending")
    if amount is None:
        amount = left
    elif not isinstance(amount, Money) or amount.currency != left.currency or amount.amount <= 0:
        raise Invalid(f"A refund must be Money in {left.currency}, above 0, not {shown(amount)}.")
    elif payable is not None and (possible := payable(amount)) != amount:
        raise Invalid(f"The payment provider cannot refund {amount}, but {possible}.")
    if not left or amount > left:
        raise Conflict(f"Only {left} of this order can still be refunded.")
    return [
        Draft(stream, RefundBegan(refund, amount)),
        scheduled(ORDER_SCHEDULE, stream, states.now),
    ]


def finish_refund(states: States, stream: str, refund: str, refund_id: str) -> list[Draft]:
    """Record that a refund is done; after a refund in full the coupon can be used again."""
    ended = _end_refund(states, stream, refund, Draft(stream, Refunded(refund, refund_id)))
    order = states.of(OrderState, stream)
    placed = order.terms()
    coupon = placed.coupon
    if not ended or coupon is None:
        return ended
    cart, number = states.of(CartState, cart_stream(placed.user)), stream.removeprefix("order/")
    whole = order.refunded() + order.refunds[refund].amount == placed.total
    if whole and cart.used.get(coupon) == number:
        ended.append(Draft(cart_stream(placed.user), CouponReturned(coupon, number)))
    return [*ended, *(_returned_to_account(states, stream, placed) if whole else ())]


def fail_refund(states: States, stream: str, refund: str, reason: str) -> list[Draft]:
    """Record that a refund has failed."""
    return _end_refund(states, stream, refund, Draft(stream, RefundFailed(refund, reason)))


def _end_refund(states: States, stream: str, refund: str, ended: Draft) -> list[Draft]:
    order = states.of(OrderState, stream)
    pending = [one for one, known in order.refunds.items() if known.status == "pending"]
    if refund not in pending:
        return []
    over = pending == [refund] and order.reconciliation != "pending"
    return [ended, *([unscheduled(ORDER_SCHEDULE, stream)] if over else [])]


def _check_cart(states: States, cart: CartState, terms: ShopTerms) -> None:
    if cart.checkout is not None:
        raise Conflict(f"The order {cart.checkout} is being paid; wait until that is done.")
    if not cart.items or cart.has_expired(states.now, terms):
        raise Conflict("The cart is empty; add a product first.")
    for item in cart.items.values():
        offer = terms.offer(states, item.sku)
        if offer is not None and offer.price != item.price:
            raise Conflict(
                f"{item.name} now costs {offer.price}, not {item.price}: "
                "check the cart, and accept its prices."
            )


def _reserved(states: States, items: Sequence[Item], terms: ShopTerms) -> list[str]:
    reserved = []
    for item in items:
        offer = terms.offer(states, item.sku)
        if offer is None or offer.stock is None:
            continue
        if offer.stock < item.quantity:
            raise OutOfStock(f"Only {offer.stock} of {item.name} are left.")
        here = offered(states, item.sku)
        if here is not None and here.stock is not None:
            reserved.append(item.sku)
    return reserved


# Every user can read a product's stream, so it names neither the buyer nor the order.


def _reserve(items: Sequence[Item], reserved: Sequence[str]) -> list[Draft]:
    return [
        Draft(known_product_stream(item.sku), StockReserved("", item.quantity), by=HUB)
        for item in items
        if item.sku in reserved
    ]


def release(placed: Placed) -> list[Draft]:
    """Release the reserved stock of an order."""
    return [
        Draft(known_product_stream(item.sku), StockReleased("", item.quantity), by=HUB)
        for item in placed.items
        if item.sku in placed.reserved
    ]


def _once(states: States, coupon: str | None) -> str | None:
    if coupon is None:
        return None
    terms = states.of(CouponState, coupon_stream(coupon)).terms
    return coupon if terms is not None and terms.once else None


def end_checkout(states: States, stream: str, placed: Placed, *, paid: bool) -> list[Draft]:
    """End the checkout in the buyer's cart, and in the account's that it was merged into."""
    quantities = {item.sku: item.quantity for item in placed.items} if paid else {}
    order = stream.removeprefix("order/")
    ended = Draft(cart_stream(placed.user), CheckoutEnded(order, paid, quantities))
    if not paid:
        return [ended, *_returned_to_account(states, stream, placed)]
    return [ended, *_paid_by_guest(states, order, placed)]


def _paid_by_guest(states: States, order: str, placed: Placed) -> list[Draft]:
    """Take what a guest has paid out of the account's cart, where a sign-in has put it."""
    guest = states.of(CartState, cart_stream(placed.user))
    if guest.into is None or guest.moved != order:
        return []
    held = states.of(CartState, cart_stream(guest.into)).items
    return [
        Draft(
            cart_stream(guest.into),
            ItemRemoved(item.sku, min(item.quantity, held[item.sku].quantity)),
        )
        for item in placed.items
        if item.sku in held
    ]


def _returned_to_account(states: States, stream: str, placed: Placed) -> list[Draft]:
    """Return a coupon to the account that has taken over its use from a guest."""
    account = states.of(CartState, cart_stream(placed.user)).into
    if account is None or placed.coupon is None:
        return []
    order = stream.removeprefix("order/")
    if states.of(CartState, cart_stream(account)).used.get(placed.coupon) != order:
        return []
    return [Draft(cart_stream(account), CouponReturned(placed.coupon, order))]
