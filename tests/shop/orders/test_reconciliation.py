from __future__ import annotations

from datetime import timedelta
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubbub import Payment
from hubbub.errors import Conflict, Invalid, NotAllowed, NotFound
from hubbub.journal.schedule import Unscheduled
from hubbub.shop.events import CheckoutEnded, MarkedPaid, OrderCancelled, Reconciled, StockReleased
from hubbub.shop.orders.reconciliation import CANCELLED, PAYMENT_ID_CHARS_MAX, conclude, need
from hubbub.shop.payments.payment import PaymentStatus
from tests.shop.shelf_kit import Shelf, full_shelf, placed


def test_to_cancel_ends_an_order_and_its_checkout() -> None:
    shelf = placed()

    assert shelf.cancel() == [
        OrderCancelled(CANCELLED),
        StockReleased("", 1),
        StockReleased("", 2),
        CheckoutEnded("1", paid=False),
    ]
    order = shelf.order()
    assert (order.status, order.reason, order.reconciliation) == ("declined", CANCELLED, "pending")
    assert (len(shelf.cart().lines), shelf.cart().checkout, shelf.stock("mouse")) == (2, None, 10)


def test_the_buyer_can_go_on_after_a_cancelled_order() -> None:
    shelf = placed()
    shelf.cancel()
    shelf.place("2")
    shelf.pay("2")

    assert (shelf.order("2").status, shelf.stock("mouse")) == ("paid", 8)


def test_to_settle_ends_an_order_and_its_checkout() -> None:
    shelf = placed()

    assert shelf.settle("pi_1") == [
        MarkedPaid("pi_1"),
        CheckoutEnded("1", paid=True, quantities={"laptop": 1, "mouse": 2}),
    ]
    order = shelf.order()
    assert (order.status, order.payment_id, order.reconciliation) == ("paid", "pi_1", "pending")
    assert (shelf.cart().lines, shelf.stock("mouse")) == ([], 8)


@pytest.mark.parametrize("end", [Shelf.cancel, Shelf.settle])
def test_the_hub_looks_after_it_until_the_provider_has_answered(end: Any) -> None:
    shelf = placed()
    end(shelf)

    assert shelf.schedule() == ["order/1"]
    assert shelf.order().is_open
    assert shelf.reconcile(Reconciled()) == [Reconciled(), Unscheduled("order/1")]
    assert shelf.schedule() == []
    assert not shelf.order().is_open
    assert shelf.reconcile(Reconciled()) == []


@pytest.mark.parametrize("first", [Shelf.pay, Shelf.decline, Shelf.cancel, Shelf.settle])
@pytest.mark.parametrize("then", [Shelf.cancel, Shelf.settle])
def test_only_a_pending_order_is_ended_by_hand(first: Any, then: Any) -> None:
    shelf = placed()
    first(shelf)

    with pytest.raises(Conflict, match="only a pending order"):
        then(shelf)


@pytest.mark.parametrize("end", [Shelf.cancel, Shelf.settle])
def test_what_the_till_learns_later_changes_nothing(end: Any) -> None:
    shelf = placed()
    end(shelf)

    assert shelf.pay() == []
    assert shelf.decline() == []


def test_a_buyer_cancels_when_the_reservation_is_over() -> None:
    shelf = placed()
    with pytest.raises(Conflict, match="you can cancel it after 12:15 UTC"):
        shelf.cancel("ann", admin=False)
    shelf.wait(timedelta(minutes=15))
    shelf.cancel("ann", admin=False)

    assert shelf.order().status == "declined"


def test_nobody_else_cancels_an_order() -> None:
    shelf = placed()
    shelf.wait(timedelta(days=1))

    with pytest.raises(NotAllowed):
        shelf.cancel("bob", admin=False)


@pytest.mark.parametrize("end", [Shelf.cancel, Shelf.settle])
def test_what_was_never_placed_is_not_found(end: Any) -> None:
    with pytest.raises(NotFound):
        end(full_shelf())


@pytest.mark.parametrize("payment_id", ["", "x" * (PAYMENT_ID_CHARS_MAX + 1), "a\nb", 5])
def test_what_is_no_payments_id_is_refused(payment_id: Any) -> None:
    with pytest.raises(Invalid):
        placed().settle(payment_id)


def test_what_was_paid_in_another_way_is_not_refunded_here() -> None:
    shelf = placed()
    shelf.settle(None)

    with pytest.raises(Conflict, match="did not charge this order"):
        shelf.begin_refund("a")


def test_the_hub_looks_after_a_refund_that_outlasts_the_answer() -> None:
    shelf = placed()
    shelf.settle()
    shelf.begin_refund("a")
    shelf.reconcile(Reconciled())
    assert shelf.schedule() == ["order/1"]
    shelf.finish_refund("a")

    assert shelf.schedule() == []


def test_the_hub_looks_after_an_answer_that_outlasts_a_refund() -> None:
    shelf = placed()
    shelf.settle()
    shelf.begin_refund("a")
    shelf.finish_refund("a")

    assert shelf.schedule() == ["order/1"]


def test_what_cannot_be_given_back_is_told() -> None:
    shelf = placed()
    shelf.cancel()
    shelf.reconcile(Reconciled("p", problem="no"))

    assert (shelf.order().reconciliation, shelf.order().is_open) == ("failed", False)


@given(st.sampled_from(get_args(PaymentStatus)), st.sampled_from([None, "p", "q"]), st.booleans())
def test_of_two_payments_at_most_the_admins_is_left(
    status: PaymentStatus, seen: str | None, cancelled: bool
) -> None:
    shelf, found = placed(), Payment("p", status)
    if cancelled:
        shelf.cancel()
    else:
        shelf.settle(seen)
    wanted, act = not cancelled and seen == "p", need(shelf.order(), found)

    assert (act in ("capture", "wait")) == (wanted and status in ("authorized", "pending"))
    assert (act == "cancel") == (not wanted and status in ("authorized", "pending"))
    assert (act == "refund") == (not wanted and status == "captured")


@pytest.mark.parametrize("status", ["declined", "cancelled", "none"])
def test_what_the_admin_saw_and_the_provider_does_not_is_a_problem(status: Any) -> None:
    shelf = placed()
    shelf.settle("p")

    assert conclude(shelf.order(), Payment("p", status)).problem == f"The payment is {status}."
    assert conclude(shelf.order(), Payment("q", status)).problem is None
