"""When a coupon is used up, and when it is good again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubbub.errors import Conflict
from hubbub.shop.carts import commands as cart_commands
from hubbub.shop.events import CouponReturned
from tests.shop.shelf_kit import Shelf, full_shelf, placed_with_coupon, usd


def test_a_coupon_that_took_nothing_off_is_not_used_up() -> None:
    shelf = full_shelf()
    shelf.product("pin", usd(1))
    shelf.coupon("spring", percent=10)
    shelf.add("pin")
    shelf.on_cart(cart_commands.apply_coupon, "spring")
    shelf.place()
    shelf.pay()
    shelf.add("mouse")
    shelf.on_cart(cart_commands.apply_coupon, "spring")

    assert (shelf.order().discount, shelf.order().coupon) == (usd(0), None)
    assert shelf.cart().discount == usd("3.00")


ends = st.sampled_from(["pay", "decline", "cancel", "settle", "refund"])
prices = st.sampled_from([0, 1, 4, 5, 2999])


@given(st.lists(st.tuples(prices, ends), max_size=6), st.integers(1, 100))
def test_a_coupon_is_good_until_it_has_made_something_cheaper(
    orders: list[tuple[int, str]], percent: int
) -> None:
    shelf, used = Shelf(), False
    shelf.coupon("spring", percent=percent)
    for number, (price, end) in enumerate(orders):
        order = str(number)
        shelf.product("pin", usd(price))
        shelf.on_cart(cart_commands.clear)
        shelf.add("pin")
        if used:
            with pytest.raises(Conflict, match="already"):
                shelf.on_cart(cart_commands.apply_coupon, "spring")
        else:
            shelf.on_cart(cart_commands.apply_coupon, "spring")
        shelf.place(order)
        end_order(shelf, order, end)
        kept = shelf.order(order).status == "paid"
        used = used or (kept and shelf.order(order).discount.amount > 0)


def end_order(shelf: Shelf, order: str, end: str) -> None:
    match end:
        case "pay":
            shelf.pay(order)
        case "settle":
            shelf.settle(order=order)
        case "decline":
            shelf.decline(order)
        case "cancel":
            shelf.cancel(order=order)
        case _:
            shelf.pay(order)
            if shelf.order(order).total:
                shelf.begin_refund("all", order=order)
                shelf.finish_refund("all", order=order)


def test_a_coupon_is_good_again_when_all_was_given_back() -> None:
    shelf = placed_with_coupon()
    shelf.pay()
    shelf.begin_refund("a", usd(1))
    shelf.begin_refund("b")

    assert not any(isinstance(one, CouponReturned) for one in shelf.finish_refund("a"))
    assert CouponReturned("SPRING", "1") in shelf.finish_refund("b")
    shelf.add("mouse")
    shelf.on_cart(cart_commands.apply_coupon, "spring")


def test_a_coupon_that_was_used_for_another_order_meanwhile_stays_used() -> None:
    shelf = full_shelf()
    shelf.coupon("spring", percent=10, once=False)
    for order in ("1", "2"):
        shelf.add("mouse")
        shelf.on_cart(cart_commands.apply_coupon, "spring")
        if order == "2":
            shelf.coupon("spring", percent=10)
        shelf.place(order)
        shelf.pay(order)
    shelf.begin_refund("a")
    shelf.finish_refund("a")

    assert shelf.cart_state().used == {"SPRING": "2"}
