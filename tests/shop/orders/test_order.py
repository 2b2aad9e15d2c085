from __future__ import annotations

from typing import Any

import pytest

from hubbub.errors import Invalid, NotAllowed, NotFound
from hubbub.shop.orders.order import ORDER_ID_CHARS_MAX, OrderState, order_stream
from tests.shop.shelf_kit import placed, usd


def test_an_order_shows_what_was_bought() -> None:
    order = placed().order()

    assert (order.id, order.stream, order.user) == ("1", "order/1", "ann")
    assert [(line.sku, str(line.total)) for line in order.lines] == [
        ("laptop", "999.99 USD"),
        ("mouse", "59.98 USD"),
    ]
    assert (order.total, order.status, order.payment_id) == (usd("1165.97"), "pending", None)
    assert order.at == order.history[0].at
    assert order.reserved_until is not None


def test_an_order_keeps_its_history() -> None:
    shelf = placed()
    shelf.pay()
    shelf.begin_refund("a")
    shelf.finish_refund("a")
    order = shelf.order()

    assert [change.status for change in order.history] == ["pending", "paid", "refunded"]
    assert order.refunded == order.total


def test_a_declined_order_says_why() -> None:
    shelf = placed()
    shelf.decline()

    assert (shelf.order().status, shelf.order().reason) == ("declined", "no money")


def test_an_order_is_its_buyers_alone() -> None:
    state = placed().ask(lambda states: states.of(OrderState, "order/1"))
    state.check_reader("order/1", "ann")

    with pytest.raises(NotAllowed):
        state.check_reader("order/1", "bob")


def test_what_was_never_placed_is_not_found() -> None:
    with pytest.raises(NotFound):
        OrderState().check_reader("order/1", "ann")


@pytest.mark.parametrize("order_id", [None, 5, b"1"])
def test_an_orders_id_is_a_string(order_id: Any) -> None:
    with pytest.raises(Invalid):
        order_stream(order_id)


@pytest.mark.parametrize("order_id", ["", "x" * (ORDER_ID_CHARS_MAX + 1), None, 5, ["1"]])
def test_what_is_no_id_is_refused_and_not_looked_up(order_id: Any) -> None:
    with pytest.raises(Invalid):
        order_stream(order_id)
