"""The coupon, the country and the payments of a guest who signs in to an account."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from hubbub.errors import Conflict
from hubbub.shop.carts import commands as cart_commands
from hubbub.shop.events import CouponReturned, ItemRemoved
from tests.shop.shelf_kit import Shelf, full_shelf


@pytest.fixture
def shelf() -> Shelf:
    shelf = full_shelf()
    shelf.coupon("spring", percent=10)
    shelf.coupon("summer", percent=20)
    return shelf


def merge(shelf: Shelf) -> list[Any]:
    return shelf.do(lambda states: cart_commands.merge(states, "guest", "ann", shelf.terms))


def apply(shelf: Shelf, code: str, user: str) -> None:
    shelf.on_cart(cart_commands.apply_coupon, code, user=user)


def bought_by_guest(shelf: Shelf) -> None:
    shelf.add("mouse", 2, user="guest")
    apply(shelf, "spring", "guest")
    shelf.place(user="guest")


def test_the_guests_coupon_and_country_come_along(shelf: Shelf) -> None:
    shelf.add("mouse", user="guest")
    apply(shelf, "spring", "guest")
    shelf.on_cart(cart_commands.set_country, "DE", user="guest")
    shelf.on_cart(cart_commands.set_country, "FR")
    merge(shelf)

    cart, left = shelf.cart(), shelf.cart("guest")
    assert (cart.coupon, cart.coupon_problem, cart.country) == ("SPRING", None, "DE")
    assert (left.coupon, left.country, left.lines) == (None, None, [])


def test_they_come_along_without_items_and_once(shelf: Shelf) -> None:
    shelf.add("mouse", user="guest")
    apply(shelf, "spring", "guest")
    shelf.on_cart(cart_commands.set_country, "DE", user="guest")
    shelf.on_cart(cart_commands.remove, "mouse", None, user="guest")
    merge(shelf)
    chosen = shelf.cart()
    shelf.on_cart(cart_commands.remove_coupon)
    shelf.on_cart(cart_commands.set_country, "FR")

    assert merge(shelf) == []
    assert (chosen.coupon, chosen.country) == ("SPRING", "DE")
    assert (shelf.cart().coupon, shelf.cart().country) == (None, "FR")


def test_the_account_keeps_what_the_guest_has_not_chosen(shelf: Shelf) -> None:
    shelf.add("mouse")
    apply(shelf, "summer", "ann")
    shelf.on_cart(cart_commands.set_country, "FR")
    shelf.add("laptop", user="guest")
    merge(shelf)

    assert (shelf.cart().coupon, shelf.cart().country) == ("SUMMER", "FR")


@pytest.mark.parametrize(("own", "kept"), [("summer", "SUMMER"), (None, "SPRING")])
def test_a_coupon_that_the_account_has_used_replaces_no_other(
    shelf: Shelf, own: str | None, kept: str
) -> None:
    shelf.add("mouse")
    apply(shelf, "spring", "ann")
    shelf.place()
    shelf.pay()
    if own is not None:
        shelf.add("mouse")
        apply(shelf, own, "ann")
    shelf.add("mouse", user="guest")
    apply(shelf, "spring", "guest")
    merge(shelf)

    # Without another coupon the account is told why there is no discount.
    assert shelf.cart().coupon == kept
    assert (shelf.cart().coupon_problem is None) == (own is not None)


def test_a_coupon_that_the_guest_has_used_is_used_up(shelf: Shelf) -> None:
    bought_by_guest(shelf)
    shelf.pay()
    merge(shelf)
    shelf.add("mouse")

    with pytest.raises(Conflict, match="already"):
        apply(shelf, "spring", "ann")
    assert merge(shelf) == []


@pytest.mark.parametrize("end", ["decline", "cancel", "refund"])
@pytest.mark.parametrize("paid_before", [True, False])
def test_it_can_be_used_again_when_the_guests_order_comes_to_nothing(
    shelf: Shelf, end: str, *, paid_before: bool
) -> None:
    bought_by_guest(shelf)
    if end == "refund" and paid_before:
        shelf.pay()
    merge(shelf)
    match end:
        case "decline":
            happened = shelf.decline()
        case "cancel":
            happened = shelf.cancel()
        case _:
            shelf.pay()
            shelf.begin_refund("all")
            happened = shelf.finish_refund("all")

    assert CouponReturned("SPRING", "1") in happened
    assert shelf.cart_state().used == shelf.cart_state("guest").used == {}
    shelf.on_cart(cart_commands.clear)
    shelf.add("mouse")
    apply(shelf, "spring", "ann")


def test_a_coupon_that_the_account_used_itself_stays_used(shelf: Shelf) -> None:
    shelf.add("mouse")
    apply(shelf, "spring", "ann")
    shelf.place("own")
    shelf.pay("own")
    bought_by_guest(shelf)
    merge(shelf)
    shelf.decline()

    assert shelf.cart_state().used == {"SPRING": "own"}


def test_what_the_guest_pays_after_the_sign_in_leaves_the_accounts_cart(shelf: Shelf) -> None:
    shelf.add("mouse", 3)
    bought_by_guest(shelf)
    shelf.add("laptop", user="guest")
    merge(shelf)
    happened = shelf.pay()

    assert ItemRemoved("mouse", 2) in happened
    assert {line.sku: line.quantity for line in shelf.cart().lines} == {"mouse": 1, "laptop": 1}


def test_what_the_guest_buys_after_the_sign_in_does_not(shelf: Shelf) -> None:
    shelf.add("mouse", user="guest")
    merge(shelf)
    bought_by_guest(shelf)
    shelf.pay()

    assert [line.quantity for line in shelf.cart().lines] == [1]


def test_the_coupon_of_an_expired_cart_does_not_come_along(shelf: Shelf) -> None:
    bought_by_guest(shelf)
    shelf.decline()
    shelf.wait(timedelta(days=31))
    merge(shelf)

    assert (shelf.cart().coupon, shelf.cart().lines) == (None, [])
