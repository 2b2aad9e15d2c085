"""The operator's page, in real windows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress

import pytest
from playwright.sync_api import Error, Locator, Page, expect

from tests.browser.accounts import ADMIN, serving_with_admin, sign_in
from tests.browser.chatting import create_room, join_room, message, say
from tests.browser.test_shop_page import add, open_cart
from tests.browser.windows import Open, Shot


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """Serve a hub that has an admin, for this file alone."""
    with serving_with_admin() as address:
        yield address


@pytest.fixture
def operate(open_page: Open) -> Open:
    """Give a function that opens the operator's page, as the admin."""

    def operate(**how: bool) -> Page:
        page = open_page(None, "admin", **how)
        sign_in(page, ADMIN)
        expect(page.get_by_role("heading", name="Operations")).to_be_visible()
        return page

    return operate


def plot(page: Page, label: str) -> Locator:
    return page.get_by_role("img", name=re.compile(f"^{label}:"))


def test_a_guest_is_not_let_in(open_page: Open) -> None:
    page = open_page("Gus")
    page.goto(page.url.partition("#")[0] + "admin")

    sign_in(page, "gus", "wrong password")
    expect(page.get_by_role("alert")).to_contain_text("password")
    expect(page.get_by_role("heading", name="Operations")).to_have_count(0)


def test_what_goes_on_is_drawn(open_page: Open, operate: Open, shot: Shot) -> None:
    ann = open_page("Ann")
    create_room(ann, "Lounge")
    page = operate()
    for number in range(8):
        say(ann, f"hello {number}")
        expect(message(ann, f"hello {number}")).to_be_visible()

    # Ann, the admin, and the demo's bot.
    expect(plot(page, "Connections")).to_have_attribute("aria-label", re.compile("3 now"))
    said = re.compile(r"at most [1-9.]+/s")
    expect(plot(page, "Messages")).to_have_attribute("aria-label", said)
    row = page.get_by_role("row", name=re.compile("Lounge"))
    expect(row.get_by_role("cell").nth(2)).not_to_have_text("0")
    expect(page.get_by_role("row", name=re.compile("Ann"))).to_be_visible()
    for number in range(4):
        page.wait_for_timeout(1_000)
        say(ann, f"again {number}")
    shot(page, "admin-desktop-light")


def test_the_canvas_is_painted(operate: Open) -> None:
    page = operate(dark=True)
    # The admin, and the demo's bot.
    expect(plot(page, "Connections")).to_have_attribute("aria-label", re.compile("2 now"))

    painted = plot(page, "Connections").evaluate(
        "it => it.getContext('2d').getImageData(0, 0, it.width, it.height).data.some(Boolean)"
    )

    assert painted


def test_a_member_is_banned(open_page: Open, operate: Open, shot: Shot) -> None:
    ann, tom = open_page("Ann"), open_page("Tom")
    create_room(ann, "Garden")
    join_room(tom, "Garden")
    page = operate(dark=True)
    page.get_by_role("button", name="Members of Garden").click()
    member = page.get_by_role("dialog").get_by_role("button", name=re.compile("Tom"))
    member.click()
    shot(page, "admin-members-dark")
    page.get_by_role("menuitem", name="Ban").click()
    page.get_by_role("button", name="Ban", exact=True).click()

    expect(tom.get_by_text("You have not joined any rooms yet.")).to_be_visible()
    expect(member).to_have_count(0)


def test_a_user_is_disabled_and_cannot_come_back(open_page: Open, operate: Open) -> None:
    eve = open_page("Eve")
    create_room(eve, "Corner")
    page = operate()
    page.get_by_role("button", name="Disable Eve").click()
    page.get_by_role("button", name="Disable", exact=True).click()

    expect(page.get_by_text("Eve is disabled.")).to_be_visible()
    expect(page.get_by_role("button", name="Disable Eve")).to_have_count(0)
    with suppress(Error):
        # The page may load itself anew at this moment.
        eve.reload()
    expect(eve.get_by_text("Choose a nickname to join.")).to_be_visible()


def test_a_room_is_closed(open_page: Open, operate: Open) -> None:
    ann = open_page("Ann")
    create_room(ann, "Attic")
    page = operate()
    page.get_by_role("button", name="Close Attic").click()
    page.get_by_role("button", name="Close room").click()

    expect(page.get_by_role("button", name="Close Attic")).to_have_count(0)
    expect(ann.get_by_placeholder("This room is closed.")).to_be_disabled()


def test_a_product_is_set_and_buyers_see_it_at_once(open_page: Open, operate: Open) -> None:
    buyer = open_page("Ben", "#/shop")
    page = operate()
    page.get_by_role("button", name="New product").click()
    page.get_by_label("SKU").fill("kite")
    page.get_by_label("Name", exact=True).fill("Kite")
    page.get_by_label("Price in").fill("12.5")
    page.get_by_label("Stock").fill("many")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_have_text("many is not a whole number.")
    page.get_by_label("Stock").fill("3")
    page.get_by_role("button", name="Save").click()

    expect(page.get_by_role("row", name=re.compile("Kite"))).to_contain_text("$12.50")
    expect(buyer.get_by_role("article", name="Kite")).to_contain_text("3 left")


@pytest.mark.parametrize(
    ("name", "typed", "left"),
    [("Mouse", None, "98 left"), ("Keyboard", "103", "101 left"), ("Monitor", "", "in stock")],
)
def test_an_edit_does_not_bring_back_what_was_sold_meanwhile(
    open_page: Open, operate: Open, name: str, typed: str | None, left: str
) -> None:
    buyer, page = open_page("Ben", "#/shop"), operate()
    page.get_by_role("button", name=f"Edit {name}").click()
    expect(page.get_by_label("Stock")).to_have_value("100")
    add(buyer, name, 2)
    open_cart(buyer, 2)
    buyer.get_by_role("button", name=re.compile("Pay")).click()
    expect(buyer.get_by_text("Thank you!")).to_be_visible()
    page.get_by_label("Name", exact=True).fill(f"Fine {name}")
    if typed is not None:
        page.get_by_label("Stock").fill(typed)
    page.get_by_role("button", name="Save").click()

    expect(page.get_by_role("row", name=re.compile(f"Fine {name}"))).to_contain_text(left)


def test_a_product_is_found_by_its_sku(operate: Open) -> None:
    page = operate()
    laptop = page.get_by_role("row", name=re.compile("Laptop"))
    expect(laptop).to_be_visible()
    page.get_by_label("Find a product").fill("mouse")

    expect(page.get_by_role("row", name=re.compile("Mouse"))).to_be_visible()
    expect(laptop).to_have_count(0)


def order_that_waits(page: Page, nickname: str) -> None:
    """Buy a mouse with a card that the provider never answers about."""
    url = page.url.partition("admin")[0]
    answer = page.request.post(f"{url}api/users/sign_in", data={"nickname": nickname}).json()
    headers = {"Authorization": f"Bearer {answer['token']}"}
    item = {"sku": "mouse", "quantity": 1, "key": "add"}
    page.request.post(f"{url}api/shop/add_item", data=item, headers=headers)
    paid = {"payment": "pm_card_timeout", "key": "pay"}
    # The order is placed at once, and goes on without its buyer.
    with suppress(Error):
        page.request.post(f"{url}api/shop/checkout", data=paid, headers=headers, timeout=1_000)


@pytest.mark.parametrize(
    ("nickname", "act", "submit", "waits"),
    [
        ("Val", "Cancel", "Cancel order", "declined: the provider"),
        ("Wim", "Settle", "Mark as paid", "paid: the provider"),
    ],
)
def test_an_order_that_waits_for_the_provider_is_ended(
    operate: Open, shot: Shot, nickname: str, act: str, submit: str, waits: str
) -> None:
    page = operate()
    order_that_waits(page, nickname)
    row = page.get_by_role("row", name=re.compile(nickname)).filter(has_text="$")
    expect(row).to_contain_text("payment")
    row.scroll_into_view_if_needed()
    shot(page, f"admin-orders-{act.lower()}")
    row.get_by_role("button", name=act).click()
    page.get_by_role("dialog").get_by_role("button", name=submit).click()

    expect(row).to_contain_text(waits)
    expect(row.get_by_role("button")).to_have_count(0)


def test_it_fits_a_phone(operate: Open, shot: Shot) -> None:
    page = operate(phone=True)
    order_that_waits(page, "Xenia")
    expect(page.get_by_role("row", name=re.compile("Xenia"))).to_be_visible()

    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.wait_for_timeout(2_500)
    shot(page, "admin-phone")
