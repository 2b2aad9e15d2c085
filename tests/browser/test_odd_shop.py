"""A product whose name is markup, one that is sold out, and more than are shown at once."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.chromium import serving
from tests.browser.windows import Open, Shot

MARKUP = "<img src=x onerror='window.broken=1'>"


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """Serve a shop that has them."""
    with serving(str(Path(__file__).with_name("odd_shop.py"))) as address:
        yield address


def test_a_name_is_shown_as_it_is(open_page: Open, shot: Shot) -> None:
    ann = open_page("Ann", "#/shop")
    ann.get_by_role("button", name=f"Add {MARKUP} to the cart").click()
    ann.get_by_role("link", name=re.compile("Cart.*1 in the cart")).click()
    ann.get_by_role("button", name=re.compile("Pay")).click()
    expect(ann.get_by_text("Thank you!")).to_be_visible()
    shot(ann, "shop-markup")

    expect(ann.get_by_text(MARKUP, exact=True)).to_be_visible()
    assert ann.locator("img[src=x]").count() == 0
    assert ann.evaluate("window.broken") is None


def test_what_is_sold_out_cannot_be_added(open_page: Open) -> None:
    ann = open_page("Ann", "#/shop")
    gone = ann.get_by_role("article", name="Gone")

    expect(gone).to_contain_text("sold out")
    expect(gone.get_by_role("button", name="Add Gone")).to_be_disabled()


def test_all_products_are_reached_by_keyboard_as_well(open_page: Open) -> None:
    ann = open_page("Ann", "#/shop")
    last = ann.get_by_role("article", name="Nail 69")
    expect(ann.get_by_role("article", name="Nail 57")).to_be_visible()
    expect(last).to_have_count(0)
    ann.get_by_role("button", name="Show more").press("Enter")

    expect(last).to_be_visible()
    # One goes on where one was.
    expect(ann.get_by_role("button", name="Add Nail 58 to the cart")).to_be_focused()
    expect(ann.get_by_role("button", name="Show more")).to_have_count(0)
