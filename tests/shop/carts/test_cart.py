from __future__ import annotations

from datetime import timedelta

import pytest

from hubbub.errors import NotAllowed
from hubbub.shop.carts import commands as cart_commands
from hubbub.shop.carts.cart import CartState
from tests.shop.shelf_kit import Shelf, full_shelf, usd


def filled() -> Shelf:
    shelf = full_shelf(stock=5)
    for sku, quantity in (("laptop", 1), ("mouse", 2), ("keyboard", 1)):
        shelf.add(sku, quantity)
    return shelf


def test_a_cart_shows_what_it_comes_to() -> None:
    cart = filled().cart()

    assert [str(amount) for amount in (cart.subtotal, cart.discount, cart.tax, cart.total)] == [
        "1139.96 USD",
        "0.00 USD",
        "114.00 USD",
        "1253.96 USD",
    ]
    assert [(line.sku, line.quantity, str(line.total)) for line in cart.lines] == [
        ("laptop", 1, "999.99 USD"),
        ("mouse", 2, "59.98 USD"),
        ("keyboard", 1, "79.99 USD"),
    ]


def test_an_empty_cart_comes_to_nothing() -> None:
    cart = full_shelf().cart()

    assert (cart.lines, cart.total) == ([], usd(0))


def test_a_line_tells_what_is_in_stock() -> None:
    assert [line.stock for line in filled().cart().lines] == [5, 5, 5]


def test_a_price_that_has_changed_is_shown() -> None:
    shelf = filled()
    shelf.product("mouse", usd("24.99"), 5)

    assert [line.new_price for line in shelf.cart().lines] == [None, usd("24.99"), None]


def test_what_is_not_sold_any_more_has_no_new_price() -> None:
    shelf = filled()
    shelf.terms_with(offer=lambda states, sku: None)

    assert [(line.new_price, line.stock) for line in shelf.cart().lines] == [(None, None)] * 3


def test_a_cart_is_its_owners_alone() -> None:
    CartState().check_reader("cart/ann", "ann")

    with pytest.raises(NotAllowed):
        CartState().check_reader("cart/ann", "bob")


def test_a_cart_that_lay_too_long_counts_as_empty() -> None:
    shelf = filled()
    shelf.wait(timedelta(days=30) - timedelta(microseconds=1))
    before = shelf.cart()
    shelf.wait(timedelta(microseconds=1))

    assert len(before.lines) == 3
    assert shelf.cart().lines == []


def test_a_coupon_that_is_not_good_any_more_is_told() -> None:
    shelf = filled()
    shelf.coupon("spring", percent=10)
    shelf.on_cart(cart_commands.apply_coupon, "spring")
    shelf.coupon("spring", percent=10, minimum=usd(5_000_00))
    cart = shelf.cart()

    assert (cart.coupon, cart.discount) == ("SPRING", usd(0))
    assert cart.coupon_problem == "This coupon needs a subtotal of 5000.00 USD or more."


def test_what_is_bought_leaves_the_cart() -> None:
    shelf = filled()
    shelf.place()
    shelf.add("mouse", 3)
    shelf.on_cart(cart_commands.remove, "keyboard", None)
    shelf.pay()

    assert [(line.sku, line.quantity) for line in shelf.cart().lines] == [("mouse", 3)]
