from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from hubbub.errors import Conflict, Invalid, NotFound, OutOfStock, Overloaded
from hubbub.journal.link import Linked, Links
from hubbub.journal.schedule import HUB, Scheduled, Unscheduled
from hubbub.journal.shards import STREAM_SHARDS, stream_shard
from hubbub.money import Money
from hubbub.shop.carts import commands as cart_commands
from hubbub.shop.events import (
    CheckoutBegan,
    CheckoutEnded,
    Placed,
    Reconciled,
    StockReleased,
    StockReserved,
)
from hubbub.shop.orders import commands as order_commands
from hubbub.shop.orders.commands import ORDER_SCHEDULE, REFUNDS_MAX
from hubbub.shop.orders.order import OrderState
from tests.shop.shelf_kit import NOON, Shelf, full_shelf, placed, placed_with_coupon, usd


def test_to_place_an_order_is_written_wherever_it_matters() -> None:
    shelf = full_shelf()
    shelf.add("mouse", 2)
    done = shelf.place()

    assert isinstance(done[0], Placed)
    assert done[1:] == [
        StockReserved("", 2),
        CheckoutBegan("1"),
        Linked("order/1"),
        Scheduled("order/1", NOON + timedelta(minutes=15)),
    ]
    assert "order/1" in shelf.ask(lambda states: states.of(Links, "user/ann")).links


def test_what_is_reserved_is_not_in_stock() -> None:
    assert placed().stock("mouse") == 8


def test_where_there_is_always_enough_nothing_is_reserved() -> None:
    assert placed(stock=None).stock("mouse") is None


def test_an_empty_cart_is_not_placed() -> None:
    with pytest.raises(Conflict, match="empty"):
        full_shelf().place()


def test_a_cart_that_lay_too_long_is_not_placed() -> None:
    shelf = full_shelf()
    shelf.add("mouse")
    shelf.wait(timedelta(days=30))

    with pytest.raises(Conflict, match="empty"):
        shelf.place()


def test_one_order_at_a_time_is_paid() -> None:
    shelf = placed()

    with pytest.raises(Conflict, match="being paid"):
        shelf.place("2")


def test_too_few_are_not_sold_and_nothing_is_changed() -> None:
    shelf = full_shelf(stock=3)
    shelf.add("laptop")
    shelf.add("mouse", 4)
    count = len(shelf.events)

    with pytest.raises(OutOfStock, match="Only 3 of Mouse are left"):
        shelf.place()
    assert len(shelf.events) == count


def test_the_last_are_sold() -> None:
    shelf = full_shelf(stock=2)
    shelf.add("mouse", 2)
    shelf.place()

    assert shelf.stock("mouse") == 0


def test_a_new_price_is_accepted_first() -> None:
    shelf = full_shelf()
    shelf.add("mouse")
    shelf.product("mouse", usd("34.99"), 10)

    with pytest.raises(Conflict, match=r"now costs 34.99 USD, not 29.99 USD"):
        shelf.place()
    shelf.on_cart(cart_commands.accept_prices)
    shelf.place()


def test_a_coupon_that_is_not_good_any_more_is_taken_out_first() -> None:
    shelf = full_shelf()
    shelf.coupon("spring", percent=50, expires_at=NOON + timedelta(hours=1))
    shelf.add("mouse")
    shelf.on_cart(cart_commands.apply_coupon, "spring")
    shelf.wait(timedelta(hours=1))

    with pytest.raises(Conflict, match="expired"):
        shelf.place()


def test_what_is_not_sold_any_more_is_bought_as_it_was_added() -> None:
    shelf = full_shelf()
    shelf.add("mouse")
    shelf.terms_with(offer=lambda states, sku: None)
    shelf.place()

    assert shelf.order().lines[0].price == usd("29.99")


def test_to_pay_is_written_wherever_it_matters() -> None:
    shelf = placed()
    done = shelf.pay()

    assert done[1:] == [
        CheckoutEnded("1", paid=True, quantities={"laptop": 1, "mouse": 2}),
        Unscheduled("order/1"),
    ]
    assert (shelf.order().status, shelf.order().payment_id) == ("paid", "p")
    assert (shelf.cart().lines, shelf.stock("mouse"), shelf.schedule()) == ([], 8, [])


def test_to_decline_puts_everything_back() -> None:
    shelf = placed()
    done = shelf.decline()

    assert done[1:] == [
        StockReleased("", 1),
        StockReleased("", 2),
        CheckoutEnded("1", paid=False),
        Unscheduled("order/1"),
    ]
    assert (len(shelf.cart().lines), shelf.stock("mouse"), shelf.schedule()) == (2, 10, [])


def test_what_was_not_reserved_is_not_put_back() -> None:
    shelf = placed(stock=None)
    shelf.product("mouse", usd("29.99"), 5)
    shelf.decline()

    assert shelf.stock("mouse") == 5


@pytest.mark.parametrize("first", [Shelf.pay, Shelf.decline])
def test_an_order_ends_once(first: Any) -> None:
    shelf = placed()
    first(shelf)
    ended = shelf.order()

    shelf.pay()
    assert shelf.decline() == []
    assert (shelf.order().status, shelf.order().history) == (ended.status, ended.history)


def test_an_order_that_was_paid_is_not_paid_again() -> None:
    shelf = placed()
    shelf.pay()

    assert shelf.pay() == []
    assert not shelf.order().is_open


def test_a_charge_after_an_order_was_declined_is_refunded() -> None:
    shelf = placed()
    shelf.decline()
    stock = shelf.stock("mouse")

    shelf.pay()

    order = shelf.order()
    assert (order.status, order.reason, order.reconciliation) == ("declined", "no money", "pending")
    assert (shelf.schedule(), shelf.stock("mouse")) == (["order/1"], stock)
    assert shelf.pay() == []


def test_a_charge_after_an_order_was_settled_otherwise_is_refunded() -> None:
    shelf = placed()
    shelf.settle("cash")
    shelf.reconcile(Reconciled())

    assert shelf.pay(payment_id="cash") == []
    shelf.pay(payment_id="p")

    order = shelf.order()
    assert (order.status, order.payment_id, order.reconciliation) == ("paid", "cash", "pending")
    assert shelf.schedule() == ["order/1"]


def test_an_order_names_the_node_that_settles_it() -> None:
    shelf = full_shelf()
    shelf.add("mouse")

    shelf.do(lambda states: order_commands.place(states, "order/1", "ann", shelf.terms, "node-a"))

    assert shelf.ask(lambda states: states.of(OrderState, "order/1")).terms().claimant == "node-a"


def test_a_coupon_is_used_up_by_what_was_paid() -> None:
    shelf = placed_with_coupon()
    shelf.pay()
    shelf.add("mouse")

    with pytest.raises(Conflict, match="already"):
        shelf.on_cart(cart_commands.apply_coupon, "spring")


def test_a_coupon_is_free_again_when_the_payment_was_declined() -> None:
    shelf = placed_with_coupon()
    shelf.decline()

    assert shelf.cart().coupon_problem is None
    shelf.place("2")


def test_a_coupon_for_every_order_is_never_used_up() -> None:
    shelf = full_shelf()
    shelf.coupon("staff", percent=10, once=False)
    for order in ("1", "2"):
        shelf.add("mouse")
        shelf.on_cart(cart_commands.apply_coupon, "staff")
        shelf.place(order)
        shelf.pay(order)

    assert shelf.order("2").discount == usd("3.00")


def test_orders_that_are_open_have_their_limit() -> None:
    shelf = full_shelf()
    shelf.terms_with(orders_open_max=STREAM_SHARDS)
    # Each shard of the schedule has its share.
    same = stream_shard(ORDER_SCHEDULE, "order/1")
    other = next(
        n for n in map(str, range(2, 999)) if stream_shard(ORDER_SCHEDULE, f"order/{n}") == same
    )
    for user in ("ann", "bob"):
        shelf.add("mouse", user=user)
    shelf.place()

    with pytest.raises(Overloaded):
        shelf.place(other, user="bob")
    shelf.pay()
    shelf.place(other, user="bob")


def test_an_order_has_so_many_refunds(monkeypatch: pytest.MonkeyPatch) -> None:
    assert REFUNDS_MAX > 2
    monkeypatch.setattr(order_commands, "REFUNDS_MAX", 2)
    shelf = paid()
    for refund in ("a", "b"):
        shelf.begin_refund(refund, usd(1))
        shelf.fail_refund(refund)

    with pytest.raises(Conflict, match="2 refunds"):
        shelf.begin_refund("c", usd(1))


def test_a_products_stream_does_not_tell_who_buys() -> None:
    shelf = placed()
    shelf.decline()

    told = [event for event in shelf.events if event.stream.startswith("product/")][4:]
    assert {event.by for event in told} == {HUB}
    assert [event.data for event in told] == [
        StockReserved("", 1), StockReserved("", 2), StockReleased("", 1), StockReleased("", 2),
    ]  # fmt: skip


@pytest.mark.parametrize("days", [0, 30])
def test_a_coupon_that_is_put_in_meanwhile_stays(days: int) -> None:
    shelf = full_shelf()
    shelf.coupon("spring", percent=10)
    shelf.coupon("winter", percent=50)
    shelf.add("mouse")
    shelf.on_cart(cart_commands.apply_coupon, "spring")
    shelf.place()
    shelf.wait(timedelta(days=days))
    shelf.add("laptop")
    shelf.on_cart(cart_commands.apply_coupon, "winter")
    shelf.pay()

    assert shelf.cart().coupon == "WINTER"


def paid() -> Shelf:
    shelf = placed()
    shelf.pay()
    return shelf


def test_all_that_is_left_is_given_back() -> None:
    shelf = paid()
    shelf.begin_refund("a", usd("100"))
    shelf.finish_refund("a")
    shelf.begin_refund("b")
    shelf.finish_refund("b")

    assert [str(one.amount) for one in shelf.order().refunds] == ["100.00 USD", "1065.97 USD"]
    assert (shelf.order().status, shelf.schedule()) == ("refunded", [])


def test_no_more_is_given_back_than_was_paid() -> None:
    shelf = paid()
    shelf.begin_refund("a", usd("1000"))

    with pytest.raises(Conflict, match=r"165.97 USD"):
        shelf.begin_refund("b", usd("165.98"))
    shelf.begin_refund("b", usd("165.97"))
    with pytest.raises(Conflict):
        shelf.begin_refund("c")


def test_what_could_not_be_given_back_may_be_tried_again() -> None:
    shelf = paid()
    shelf.begin_refund("a")
    shelf.fail_refund("a")
    shelf.begin_refund("b")

    assert [one.status for one in shelf.order().refunds] == ["failed", "pending"]
    assert shelf.order().status == "paid"


def test_the_hub_looks_after_an_order_until_the_last_refund_has_ended() -> None:
    shelf = paid()
    shelf.begin_refund("a", usd(1))
    shelf.begin_refund("b", usd(2))
    shelf.finish_refund("a")

    assert shelf.schedule() == ["order/1"]
    assert shelf.finish_refund("a") == []
    shelf.finish_refund("b")
    assert shelf.schedule() == []


@pytest.mark.parametrize("amount", [usd(0), usd(-1), Money(1, "EUR"), 5, "5"])
def test_a_refund_is_money_of_the_order(amount: Any) -> None:
    with pytest.raises(Invalid):
        paid().begin_refund("a", amount)


@pytest.mark.parametrize("end", [None, Shelf.decline])
def test_what_was_not_paid_is_not_given_back(end: Any) -> None:
    shelf = placed()
    if end:
        end(shelf)

    with pytest.raises(Conflict):
        shelf.begin_refund("a")


def test_nothing_is_given_back_of_what_was_free() -> None:
    shelf = full_shelf()
    shelf.product("gift", usd(0))
    shelf.add("gift")
    shelf.place()
    shelf.pay(payment_id=None)

    with pytest.raises(Conflict):
        shelf.begin_refund("a")


@pytest.mark.parametrize("decide", [Shelf.pay, Shelf.decline])
def test_what_was_never_placed_is_not_found(decide: Any) -> None:
    with pytest.raises(NotFound):
        decide(Shelf())
