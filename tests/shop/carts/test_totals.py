from __future__ import annotations

import pytest

from hubbub.errors import Conflict
from hubbub.money import AMOUNT_MAX, Money
from hubbub.shop.carts.tax import Basis, FlatTax, Tax, TaxTable
from hubbub.shop.carts.totals import check_totals, offered, subtotal_of, totals_of
from hubbub.shop.events import Item
from tests.shop.shelf_kit import Shelf, full_shelf, usd

NOTHING = usd(0)
LAPTOP = Item("laptop", "Laptop", usd("999.99"), 1)
MICE = Item("mouse", "Mouse", usd("29.99"), 2)
KEYBOARD = Item("keyboard", "Keyboard", usd("79.99"), 1, "office")


class Looking:
    """A policy that keeps what it was shown."""

    def tax(self, basis: Basis) -> Tax:
        self.basis = basis
        return Tax(usd(0), included=False)


def test_the_example_comes_to_what_it_must() -> None:
    items = [LAPTOP, MICE, KEYBOARD]
    totals = totals_of(items, subtotal_of(items, "EUR"), NOTHING, None, FlatTax())

    assert (totals.subtotal, totals.tax, totals.total) == (
        usd("1139.96"),
        usd("114.00"),
        usd("1253.96"),
    )


def test_the_tax_is_on_what_the_discount_leaves() -> None:
    totals = totals_of([LAPTOP], LAPTOP.price, usd("99.99"), None, FlatTax())

    assert (totals.tax, totals.total) == (usd("90.00"), usd("990.00"))


def test_a_tax_in_the_prices_is_not_added() -> None:
    totals = totals_of([LAPTOP], LAPTOP.price, NOTHING, None, FlatTax(included=True))

    assert (totals.total, totals.tax, totals.tax_included) == (LAPTOP.price, usd("90.91"), True)


def test_the_discount_is_shared_among_the_lines() -> None:
    looking, items = Looking(), [LAPTOP, MICE, KEYBOARD]
    totals_of(items, subtotal_of(items, "USD"), usd("113.99"), "DE", looking)
    lines = looking.basis.lines

    assert sum(line.amount.amount for line in lines) == looking.basis.amount.amount
    assert [line.category for line in lines[1:]] == [None, "office"]
    assert (lines[0].sku, len(lines), looking.basis.country) == ("laptop", 3, "DE")


def test_nothing_has_no_tax() -> None:
    totals = totals_of([], subtotal_of([], "EUR"), Money(0, "EUR"), None, TaxTable({}))

    assert totals.total == Money(0, "EUR")


def test_a_cart_has_one_currency() -> None:
    with pytest.raises(Conflict, match="USD and EUR"):
        check_totals([LAPTOP, Item("pen", "Pen", Money(1, "EUR"), 1)])


def test_a_cart_has_a_largest_sum() -> None:
    most = AMOUNT_MAX // 2
    check_totals([Item("ship", "Ship", usd(most), 1)])

    with pytest.raises(Conflict):
        check_totals([Item("ship", "Ship", usd(most), 1), Item("pen", "Pen", usd(1), 1)])


def test_the_catalogue_sells_what_is_in_it() -> None:
    shelf = full_shelf(stock=7)
    offer = shelf.ask(lambda states: offered(states, "mouse"))

    assert offer is not None
    assert (offer.name, offer.price, offer.stock) == ("Mouse", usd("29.99"), 7)
    assert Shelf().ask(lambda states: offered(states, "mouse")) is None


@pytest.mark.parametrize("amount", [Money(1, "EUR"), usd("-0.01")])
def test_a_policy_that_is_wrong_is_named(amount: Money) -> None:
    class Wrong:
        def tax(self, basis: Basis) -> Tax:
            return Tax(amount, included=False)

    with pytest.raises(TypeError, match="tax policy"):
        totals_of([LAPTOP], LAPTOP.price, NOTHING, None, Wrong())
