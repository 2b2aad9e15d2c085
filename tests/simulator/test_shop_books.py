"""The books of buyers."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import pytest

from hubbub.money import Money
from hubbub.shop.orders.order import Order, OrderStatus
from hubbub.simulator.shop_books import Checkout, ShopBooks

NOTHING = Money(0, "USD")


def order(status: OrderStatus, order_id: str = "o1") -> Order:
    return Order(
        order_id,
        f"order/{order_id}",
        "ann",
        [],
        NOTHING,
        NOTHING,
        NOTHING,
        False,
        NOTHING,
        status,
        None,
        datetime(2026, 1, 1, tzinfo=UTC),
        [],
        [],
        NOTHING,
        None,
        None,
        None,
        None,
    )


@pytest.mark.parametrize(
    ("first", "then", "right"),
    [
        ("pending", "paid", True),
        ("pending", "declined", True),
        ("paid", "refunded", True),
        ("paid", "pending", False),
        ("declined", "paid", False),
        ("declined", "pending", False),
    ],
)
def test_an_order_never_goes_back(first: OrderStatus, then: OrderStatus, right: bool) -> None:
    books = ShopBooks()
    books.see(order(first))
    books.see(order(then))

    assert (not books.complaints) == right


def test_a_key_places_one_order() -> None:
    books, checkout = ShopBooks(), Checkout("ann", "k1", "card")
    books.see_checkout(checkout, order("pending"))
    books.see_checkout(checkout, order("paid"))
    assert not books.complaints

    books.see_checkout(checkout, order("pending", "o2"))
    assert books.complaints == ["The key k1 placed o1, and o2."]


def test_a_checkout_that_was_declined_returns_no_order() -> None:
    books = ShopBooks()
    checkout = msgspec.structs.replace(Checkout("ann", "k1", "card"), declined=True)
    books.see_checkout(checkout, order("paid"))

    assert books.complaints == ["o1 was declined, and is paid."]


def test_an_answer_that_is_only_late_contradicts_nothing() -> None:
    books = ShopBooks()
    books.see(order("paid"), began=1.0, now=5.0)
    books.see(order("pending"), began=4.0, now=6.0)
    assert books.complaints == []
    assert books.orders["o1"].status == "paid"

    books.see(order("pending"), began=5.5, now=6.0)
    assert len(books.complaints) == 1
