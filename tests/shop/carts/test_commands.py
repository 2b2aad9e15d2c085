from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from hubbub.errors import Conflict, Invalid, NotFound
from hubbub.money import AMOUNT_MAX, Money
from hubbub.shop.carts import commands as f
from hubbub.shop.catalog.product import Offer
from hubbub.shop.events import (
    Cleared,
    CountrySet,
    CouponApplied,
    CouponRemoved,
    ItemAdded,
    ItemRemoved,
    Merged,
    PricesAccepted,
    QuantitySet,
)
from tests.shop.shelf_kit import Shelf, full_shelf, usd


def quantities(shelf: Shelf, user: str = "ann") -> dict[str, int]:
    return {line.sku: line.quantity for line in shelf.cart(user).lines}


def test_what_is_added_adds_up() -> None:
    shelf = full_shelf()

    assert shelf.add("mouse", 2) == [ItemAdded("mouse", 2, "Mouse", usd("29.99"))]
    shelf.add("mouse")
    assert quantities(shelf) == {"mouse": 3}


def test_what_is_added_to_keeps_its_price() -> None:
    shelf = full_shelf()
    shelf.add("mouse")
    shelf.product("mouse", usd("24.99"), 5)
    shelf.add("mouse")

    assert shelf.cart().lines[0].total == usd("59.98")


@pytest.mark.parametrize("decide", [f.add, f.set_quantity])
def test_what_is_not_sold_is_not_found(decide: Any) -> None:
    with pytest.raises(NotFound):
        full_shelf().on_cart(decide, "boat", 1)


@pytest.mark.parametrize("quantity", [0, -1, 11, 1.0, True, "1", None])
def test_a_quantity_outside_its_limits_is_refused(quantity: Any) -> None:
    with pytest.raises(Invalid):
        full_shelf().add("mouse", quantity)


def test_a_cart_has_up_to_quantity_max_of_each() -> None:
    shelf = full_shelf()
    shelf.add("mouse", 10)

    with pytest.raises(Conflict):
        shelf.add("mouse")
    assert quantities(shelf) == {"mouse": 10}


def test_a_cart_has_up_to_lines_max_products() -> None:
    shelf = full_shelf()
    for sku in ("laptop", "mouse", "keyboard"):
        shelf.add(sku)
    shelf.add("mouse")

    with pytest.raises(Conflict):
        shelf.add("monitor")


@pytest.mark.parametrize("decide", [f.add, f.set_quantity])
def test_a_cart_has_one_currency(decide: Any) -> None:
    shelf = full_shelf()
    shelf.product("yen", Money(5, "JPY"))
    shelf.add("mouse")

    with pytest.raises(Conflict):
        shelf.on_cart(decide, "yen", 1)


def test_a_cart_comes_to_no_more_than_can_be_reckoned_with() -> None:
    shelf = full_shelf()
    dear = Offer("Ship", usd(AMOUNT_MAX // 20))
    shelf.terms_with(offer=lambda states, sku: dear)
    shelf.add("ship", 10)

    with pytest.raises(Conflict):
        shelf.add("pen", 1)


def test_a_quantity_is_set() -> None:
    shelf = full_shelf()

    assert shelf.on_cart(f.set_quantity, "mouse", 4)[0] == ItemAdded(
        "mouse", 4, "Mouse", usd("29.99")
    )
    assert shelf.on_cart(f.set_quantity, "mouse", 2) == [QuantitySet("mouse", 2)]
    assert shelf.on_cart(f.set_quantity, "mouse", 2) == []
    assert shelf.on_cart(f.set_quantity, "mouse", 0) == [QuantitySet("mouse", 0)]
    assert shelf.on_cart(f.set_quantity, "mouse", 0) == []
    assert quantities(shelf) == {}


@pytest.mark.parametrize("quantity", [-1, 11, "1"])
def test_no_quantity_is_set_outside_its_limits(quantity: Any) -> None:
    with pytest.raises(Invalid):
        full_shelf().on_cart(f.set_quantity, "mouse", quantity)


def test_some_are_taken_out() -> None:
    shelf = full_shelf()
    shelf.add("mouse", 5)
    shelf.on_cart(f.remove, "mouse", 2)

    assert quantities(shelf) == {"mouse": 3}


@pytest.mark.parametrize("quantity", [None, 5, 7])
def test_all_are_taken_out(quantity: Any) -> None:
    shelf = full_shelf()
    shelf.add("mouse", 5)

    assert shelf.on_cart(f.remove, "mouse", quantity) == [ItemRemoved("mouse", 5)]
    assert quantities(shelf) == {}


def test_what_is_not_there_cannot_be_taken_out() -> None:
    with pytest.raises(NotFound):
        full_shelf().on_cart(f.remove, "mouse", None)


def test_a_cart_is_cleared_once() -> None:
    shelf = full_shelf()
    shelf.add("mouse")

    assert shelf.on_cart(f.clear) == [Cleared()]
    assert shelf.on_cart(f.clear) == []


def test_a_cart_that_lay_too_long_begins_anew() -> None:
    shelf = full_shelf()
    shelf.on_cart(f.set_country, "de")
    shelf.add("mouse", 5)
    shelf.wait(timedelta(days=30))
    done = shelf.add("laptop")

    assert done[0] == Cleared(expired=True)
    assert quantities(shelf) == {"laptop": 1}
    assert shelf.cart().country == "DE"


def test_new_prices_are_accepted() -> None:
    shelf = full_shelf()
    shelf.add("mouse")
    shelf.add("laptop")
    shelf.product("mouse", usd("24.99"), 5)

    assert shelf.on_cart(f.accept_prices) == [PricesAccepted({"mouse": usd("24.99")})]
    assert shelf.on_cart(f.accept_prices) == []
    assert shelf.cart().subtotal == usd("1024.98")


def test_a_product_that_is_not_sold_any_more_keeps_its_price() -> None:
    shelf = full_shelf()
    shelf.add("mouse")
    shelf.terms_with(offer=lambda states, sku: None)

    assert shelf.on_cart(f.accept_prices) == []


def test_a_coupon_is_used_whatever_its_case() -> None:
    shelf = full_shelf()
    shelf.coupon("Spring", percent=10)
    shelf.add("laptop")

    assert shelf.on_cart(f.apply_coupon, "sprinG") == [CouponApplied("SPRING")]
    assert shelf.on_cart(f.apply_coupon, "spring") == []
    assert shelf.cart().discount == usd("100.00")


def test_an_unknown_coupon_is_not_found() -> None:
    with pytest.raises(NotFound):
        full_shelf().on_cart(f.apply_coupon, "spring")


def test_a_coupon_that_takes_nothing_off_is_refused() -> None:
    shelf = full_shelf()
    shelf.coupon("spring", percent=10, minimum=usd(100_00))

    with pytest.raises(Conflict, match=r"100.00 USD or more"):
        shelf.on_cart(f.apply_coupon, "spring")


def test_a_coupon_is_taken_out_once() -> None:
    shelf = full_shelf()
    shelf.coupon("spring", percent=10)
    shelf.on_cart(f.apply_coupon, "spring")

    assert shelf.on_cart(f.remove_coupon) == [CouponRemoved()]
    assert shelf.on_cart(f.remove_coupon) == []


def test_a_coupon_alone_is_cleared() -> None:
    shelf = full_shelf()
    shelf.coupon("spring", percent=10)
    shelf.on_cart(f.apply_coupon, "spring")

    assert shelf.on_cart(f.clear) == [Cleared()]


def test_a_country_is_set_once() -> None:
    shelf = full_shelf()

    assert shelf.on_cart(f.set_country, "de") == [CountrySet("DE")]
    assert shelf.on_cart(f.set_country, "DE") == []
    assert shelf.on_cart(f.set_country, None) == [CountrySet(None)]


@pytest.mark.parametrize("country", ["", "D", "DEU", "1D", "ÄÖ", 5])
def test_what_is_no_country_is_refused(country: Any) -> None:
    with pytest.raises(Invalid):
        full_shelf().on_cart(f.set_country, country)


def merge(shelf: Shelf, guest: str = "guest", user: str = "ann") -> list[Any]:
    return shelf.do(lambda states: f.merge(states, guest, user, shelf.terms))


def test_a_guests_cart_comes_along() -> None:
    shelf = full_shelf()
    shelf.add("mouse", 2, user="guest")
    shelf.add("laptop", 1, user="guest")
    shelf.add("mouse", 1)
    done = merge(shelf)

    assert quantities(shelf) == {"mouse": 2, "laptop": 1}
    assert quantities(shelf, "guest") == {}
    assert isinstance(done[0], Merged)
    assert merge(shelf) == []


def test_what_one_has_more_of_stays() -> None:
    shelf = full_shelf()
    shelf.add("mouse", 2, user="guest")
    shelf.add("mouse", 3)
    merge(shelf)

    assert quantities(shelf) == {"mouse": 3}
    assert quantities(shelf, "guest") == {}


def test_what_does_not_fit_is_left_out() -> None:
    shelf = full_shelf()
    shelf.product("yen", Money(5, "JPY"))
    for sku in ("laptop", "mouse", "keyboard"):
        shelf.add(sku)
    shelf.add("monitor", user="guest")
    shelf.add("yen", user="other")
    merge(shelf)
    merge(shelf, guest="other")

    assert set(quantities(shelf)) == {"laptop", "mouse", "keyboard"}


@pytest.mark.parametrize("guest", ["ann", "nobody"])
def test_there_may_be_nothing_to_merge(guest: str) -> None:
    shelf = full_shelf()
    shelf.add("mouse")

    assert merge(shelf, guest=guest) == []
    assert quantities(shelf) == {"mouse": 1}
