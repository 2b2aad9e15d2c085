"""The shop, in real windows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.chromium import SERVE, serving
from tests.browser.windows import Open, Shot

DECLINED = "•••• 0002: declined"


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """Serve the demo's shop, for this file alone: stock is counted."""
    with serving(*SERVE) as address:
        yield address


def product(page: Page, name: str) -> Locator:
    return page.get_by_role("article", name=name)


def add(page: Page, name: str, times: int = 1) -> None:
    for _ in range(times):
        product(page, name).get_by_role("button", name=f"Add {name} to the cart").click()


def stock_of(page: Page, name: str) -> int:
    text = product(page, name).get_by_text(re.compile(r"\d+ left")).inner_text()
    return int(text.split()[0])


def open_cart(page: Page, count: int) -> None:
    link = page.get_by_role("link", name=re.compile("Cart"))
    expect(link).to_contain_text(f"{count} in the cart")
    link.click()


def test_what_is_paid_is_an_order(open_page: Open, shot: Shot) -> None:
    ann = open_page("Ann", "#/shop")
    expect(product(ann, "Laptop")).to_be_visible()
    shot(ann, "shop-desktop-light")
    add(ann, "Mouse", 2)
    add(ann, "Laptop")
    open_cart(ann, 3)
    expect(ann.get_by_text("$1,059.97").first).to_be_visible()
    shot(ann, "shop-cart-light")
    ann.get_by_role("button", name="Pay $1,165.97").click()

    expect(ann.get_by_text("Thank you! Your order is paid.")).to_be_visible()
    shot(ann, "shop-order-light")
    ann.get_by_role("link", name="Orders", exact=True).click()
    expect(ann.get_by_role("link", name=re.compile("2 × Mouse, Laptop"))).to_contain_text("paid")
    shot(ann, "shop-orders-light")


def test_a_decline_says_why_and_keeps_the_cart(open_page: Open, shot: Shot) -> None:
    ann = open_page("Ann", "#/shop", dark=True)
    add(ann, "Keyboard")
    shot(ann, "shop-desktop-dark")
    open_cart(ann, 1)
    ann.get_by_label("Test card").select_option(label=DECLINED)
    ann.get_by_role("button", name=re.compile("Pay")).click()

    expect(ann.get_by_role("alert")).to_have_text("Your card was declined.")
    shot(ann, "shop-decline-dark")
    expect(ann.get_by_role("list").get_by_text("Keyboard")).to_be_visible()
    ann.get_by_label("Test card").select_option(index=0)
    ann.get_by_role("button", name=re.compile("Pay")).click()
    expect(ann.get_by_text("Thank you!")).to_be_visible()


def test_stock_falls_in_every_window(open_page: Open) -> None:
    ann, bob = open_page("Ann", "#/shop"), open_page("Bob", "#/shop")
    expect(product(bob, "Monitor")).to_be_visible()
    before = stock_of(bob, "Monitor")
    add(ann, "Monitor", 2)
    open_cart(ann, 2)
    ann.get_by_role("button", name=re.compile("Pay")).click()

    expect(product(bob, "Monitor")).to_contain_text(f"{before - 2} left")


def test_a_cart_is_the_same_in_two_windows(open_page: Open) -> None:
    ann = open_page("Ann", "#/shop")
    beside = ann.context.new_page()
    beside.goto(ann.url)
    expect(product(beside, "Mouse")).to_be_visible()
    add(ann, "Mouse")
    open_cart(beside, 1)
    beside.get_by_role("button", name="Add one Mouse").click()
    open_cart(ann, 2)

    expect(ann.get_by_text("$59.98").first).to_be_visible()
    ann.get_by_role("button", name="Remove Mouse").click()
    expect(beside.get_by_text("Your cart is empty.")).to_be_visible()


def test_a_coupon_takes_something_off(open_page: Open) -> None:
    ann = open_page("Ann", "#/shop")
    add(ann, "Laptop")
    open_cart(ann, 1)
    ann.get_by_label("Coupon").fill("nothing")
    ann.get_by_role("button", name="Apply").click()
    expect(
        ann.get_by_text(re.compile("no such coupon|There is no coupon", re.IGNORECASE))
    ).to_be_visible()
    ann.get_by_label("Coupon").fill("welcome")
    ann.get_by_role("button", name="Apply").click()

    expect(ann.get_by_text("-$100.00")).to_be_visible()
    ann.get_by_role("button", name="Remove coupon WELCOME").click()
    expect(ann.get_by_text("-$100.00")).to_be_hidden()


def test_a_phone_has_one_column(open_page: Open, shot: Shot) -> None:
    ann = open_page("Ann", "#/shop", phone=True)
    expect(product(ann, "Laptop")).to_be_visible()
    shot(ann, "shop-phone")
    add(ann, "Laptop")
    open_cart(ann, 1)
    shot(ann, "shop-cart-phone")
    pay = ann.get_by_role("button", name=re.compile("Pay"))

    expect(pay).to_be_in_viewport()
    assert ann.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_an_invoice_is_saved(open_page: Open) -> None:
    ann = open_page("Ann", "#/shop")
    add(ann, "Mouse")
    open_cart(ann, 1)
    ann.get_by_role("button", name=re.compile("Pay")).click()
    with ann.expect_download() as download:
        ann.get_by_role("button", name="Invoice").click()

    assert download.value.suggested_filename.startswith("invoice-")
    assert "Mouse" in Path(download.value.path()).read_text()
