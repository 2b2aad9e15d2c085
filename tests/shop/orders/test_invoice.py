from __future__ import annotations

import sys
from typing import Any

import pytest

from hubbub import Conflict, Invalid, Order
from hubbub.shop.carts import commands as cart_commands
from hubbub.shop.carts.tax import FlatTax
from hubbub.shop.orders.invoice import invoice_html, invoice_pdf
from tests.shop.shelf_kit import Shelf, usd


def order_of(name: str = "Pen", *, included: bool = False, pay: bool = True) -> Order:
    shelf = Shelf()
    shelf.terms_with(tax=FlatTax(included=included))
    shelf.product("pen", usd("1253.96"))
    shelf.coupon("ten", amount=usd("10"))
    shelf.add("pen")
    shelf.on_cart(cart_commands.apply_coupon, "ten")
    state = shelf.cart_state()
    state.items["pen"] = type(state.items["pen"])("pen", name, usd("1253.96"), 1)
    shelf.place()
    if pay:
        shelf.pay()
        shelf.begin_refund("a", usd("5.55"))
        shelf.finish_refund("a")
    return shelf.order()


def test_an_invoice_has_everything_on_it() -> None:
    page = invoice_html(order_of())

    for shown in ("Pen", "$1,253.96", "-$10.00", "$124.40", "$1,368.36", "-$5.55", "Refunded"):
        assert shown in page


def test_it_is_written_as_people_do() -> None:
    page = invoice_html(order_of(), "de_DE")

    assert 'lang="de-DE"' in page
    assert "1.253,96\N{NO-BREAK SPACE}$" in page
    assert "1. Januar 2026" in page


def test_a_tax_in_the_prices_is_called_so() -> None:
    assert "Tax, included" in invoice_html(order_of(included=True))


def test_a_name_is_text() -> None:
    page = invoice_html(order_of('<script>alert("1")</script>'))

    assert "<script" not in page
    assert "&lt;script&gt;" in page


@pytest.mark.parametrize("write", [invoice_html, invoice_pdf])
def test_what_was_not_paid_has_no_invoice(write: Any) -> None:
    with pytest.raises(Conflict):
        write(order_of(pay=False))


@pytest.mark.parametrize("write", [invoice_html, invoice_pdf])
def test_an_unknown_locale_is_refused(write: Any) -> None:
    with pytest.raises(Invalid):
        write(order_of(), "nowhere")


@pytest.mark.parametrize("name", ["Pen", "Stift 🖊", "笔", "€"])
@pytest.mark.parametrize("locale", ["en_US", "de_DE", "fr_FR", "ja_JP"])
def test_an_invoice_is_a_pdf(name: str, locale: str) -> None:
    assert invoice_pdf(order_of(name), locale).startswith(b"%PDF-")


def test_without_the_library_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fpdf", None)

    with pytest.raises(ImportError, match=r"hubbub\[pdf\]"):
        invoice_pdf(order_of())
