"""Every view, looked at by axe: names, roles, contrast, order."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.accounts import ADMIN, serving_with_admin, sign_in
from tests.browser.chatting import act, create_room, message, say
from tests.browser.windows import Open


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """Serve a hub that has an admin, for this file alone."""
    with serving_with_admin() as address:
        yield address


def problems(page: Page) -> list[str]:
    """Return what axe finds, a line each."""
    return [
        f"{found['id']}: {node['target']} {node['html'][:120]} {node.get('failureSummary', '')}"
        for found in Axe().run(page).response["violations"]
        for node in found["nodes"]
    ]


def entrance(open_page: Open, *, dark: bool) -> Page:
    page = open_page(None, dark=dark)
    page.get_by_label("Nickname").wait_for()
    return page


def chat(open_page: Open, *, dark: bool) -> Page:
    page = open_page("Ann", dark=dark)
    create_room(page, f"Room {dark}")
    for text in ("hello", "https://example.org/ is a link", "gone", "changed"):
        say(page, text)
    act(page, "hello", "React")
    page.get_by_role("button", name="👍").click()
    act(page, "gone", "Delete")
    page.get_by_role("button", name="Delete", exact=True).last.click()
    expect(page.get_by_text("Deleted").first).to_be_visible()
    message(page, "hello").hover()
    return page


def dialog(open_page: Open, *, dark: bool) -> Page:
    page = open_page("Bob", dark=dark)
    page.get_by_role("button", name="New room").first.click()
    page.get_by_role("dialog").wait_for()
    return page


def matchmaker(open_page: Open, *, dark: bool) -> Page:
    page = open_page("Cid", "#/games", dark=dark)
    page.get_by_role("link", name="Play quick arithmetic").wait_for()
    return page


def match(open_page: Open, *, dark: bool) -> Page:
    one, other = (open_page(name, "#/games", dark=dark) for name in ("Dan", "Eve"))
    for page in (one, other):
        page.get_by_role("link", name="Play quick arithmetic").click()
    one.get_by_label("Your answer").wait_for()
    return one


def shop(open_page: Open, *, dark: bool) -> Page:
    page = open_page("Fay", "#/shop", dark=dark)
    page.get_by_role("article", name="Mouse").wait_for()
    return page


def cart(open_page: Open, *, dark: bool) -> Page:
    page = shop(open_page, dark=dark)
    page.get_by_role("button", name="Add Mouse to the cart").click()
    page.get_by_text("in the cart").first.wait_for()
    page.get_by_role("link", name="Cart").click()
    page.get_by_role("button", name="Pay").wait_for()
    return page


def order(open_page: Open, *, dark: bool) -> Page:
    page = cart(open_page, dark=dark)
    page.get_by_role("button", name="Pay").click()
    page.get_by_text("Your order is paid").wait_for()
    return page


def admin(open_page: Open, *, dark: bool) -> Page:
    page = open_page(None, "admin", dark=dark)
    sign_in(page, ADMIN)
    page.get_by_role("row", name="Laptop").wait_for()
    return page


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize(
    "view",
    [entrance, chat, dialog, matchmaker, match, shop, cart, order, admin],
    ids=lambda it: it.__name__,
)
def test_axe_finds_nothing(open_page: Open, view: Callable[..., Page], dark: bool) -> None:
    assert problems(view(open_page, dark=dark)) == []
