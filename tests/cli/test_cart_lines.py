from __future__ import annotations

import pytest

from hubbub import Product
from hubbub.cli.cart_lines import card_lines, cart_lines, order_line, order_lines, product_lines
from hubbub.shop.carts import commands as cart_commands
from hubbub.shop.carts.tax import FlatTax
from hubbub.shop.payments.sandbox import CARDS
from tests.shop.shelf_kit import Shelf, full_shelf, usd


def filled(stock: int | None = 10) -> Shelf:
    shelf = full_shelf(stock)
    for sku, quantity in (("laptop", 1), ("mouse", 2), ("keyboard", 1)):
        shelf.add(sku, quantity)
    return shelf


def shown(shelf: Shelf) -> list[str]:
    return [line.plain for line in cart_lines(shelf.cart())]


def test_a_cart_is_shown_with_what_it_comes_to() -> None:
    assert shown(filled()) == [
        "1 ×  Laptop    999.99 USD   999.99 USD",
        "2 ×  Mouse      29.99 USD    59.98 USD",
        "1 ×  Keyboard   79.99 USD    79.99 USD",
        "     Subtotal              1139.96 USD",
        "     Tax                    114.00 USD",
        "     Total                 1253.96 USD",
    ]


def test_an_empty_cart_says_so() -> None:
    assert shown(full_shelf()) == ["The cart is empty."]


def test_a_coupon_is_a_line() -> None:
    shelf = filled()
    shelf.coupon("ten", percent=10)
    shelf.on_cart(cart_commands.apply_coupon, "ten")

    assert "     Coupon TEN              -114.00 USD" in shown(shelf)


def test_a_tax_in_the_prices_is_called_so() -> None:
    shelf = filled()
    shelf.terms_with(tax=FlatTax(included=True))

    assert any(line.split()[:2] == ["Tax,", "included"] for line in shown(shelf))


def test_what_is_to_be_seen_to_is_said() -> None:
    shelf = filled()
    shelf.coupon("ten", percent=10)
    shelf.on_cart(cart_commands.apply_coupon, "ten")
    shelf.place()
    shelf.coupon("ten", percent=10, minimum=usd("9999"))
    shelf.product("mouse", usd("24.99"), 1)

    assert shown(shelf)[-4:] == [
        "! Mouse now costs 24.99 USD. Type accept to take it at that price.",
        "! Only 1 of Mouse is left.",
        "! You have already used this coupon.",
        "! The payment of order 1 is under way.",
    ]


@pytest.mark.parametrize(
    ("stock", "says"), [(None, "in stock"), (1_200, "1,200 in stock"), (0, "sold out")]
)
def test_a_product_says_how_many_there_are(stock: int | None, says: str) -> None:
    product = Product("pen", "product/pen", "Pen", usd("5"), stock, None)

    assert [line.plain for line in product_lines([product])] == [f"pen  Pen  5.00 USD  {says}"]


def test_no_products_are_no_lines() -> None:
    assert list(product_lines([])) == []


def test_a_name_cannot_move_the_cursor() -> None:
    product = Product("pen", "product/pen", "\x1b[2J[bold]Pen", usd("5"), 1, None)

    [line] = product_lines([product])
    assert "\x1b" not in line.plain
    assert "[bold]Pen" in line.plain


def test_an_order_is_a_line_in_a_list() -> None:
    shelf = filled()
    shelf.place()
    shelf.decline()

    line = order_line(3, shelf.order()).plain
    assert line.startswith("[3] ")
    assert line.endswith("1253.96 USD  declined: no money  1")


def test_an_order_is_shown_with_its_history() -> None:
    shelf = filled()
    shelf.place()
    shelf.pay()
    shelf.begin_refund("a", usd("3.96"))
    shelf.finish_refund("a")
    lines = [line.plain for line in order_lines(shelf.order())]

    assert "     Total                 1253.96 USD" in lines
    assert "     Refunded                -3.96 USD" in lines
    assert [line.split()[-1] for line in lines[-2:]] == ["pending", "paid"]


def test_cards_are_shown_as_they_are_printed() -> None:
    lines = [line.plain for line in card_lines(CARDS)]

    assert lines[0].split("  ")[0] == "4242 4242 4242 4242"
    assert len(lines) == len(CARDS)
