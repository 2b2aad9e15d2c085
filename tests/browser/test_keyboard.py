"""The page without a mouse."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.browser.chatting import message
from tests.browser.windows import Open

TABS_MAX = 60
FOCUSED = """() => {
  const it = document.activeElement;
  return it.getAttribute('aria-label') ?? it.innerText ?? '';
}"""


def tab_to(page: Page, label: str, key: str = "Tab") -> None:
    """Press Tab until something is focused."""
    for _ in range(TABS_MAX):
        if page.evaluate(FOCUSED).strip() == label:
            return
        page.keyboard.press(key)
    raise AssertionError(f"{label} is not reached with {key}")


def test_one_talks_and_reacts_by_keyboard(open_page: Open) -> None:
    page = open_page(None)
    page.get_by_label("Nickname").wait_for()
    page.keyboard.type("Kay")
    page.keyboard.press("Enter")
    page.get_by_text("You have not joined any rooms yet.").wait_for()
    tab_to(page, "New room")
    page.keyboard.press("Enter")
    page.keyboard.type("Keys")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Keys")).to_be_visible()
    # The new room waits for what one has to say.
    expect(page.get_by_label("Message", exact=True)).to_be_focused()
    page.keyboard.type("without a mouse")
    page.keyboard.press("Enter")
    expect(message(page, "without a mouse")).to_be_visible()
    tab_to(page, "React", "Shift+Tab")
    for key in ("Enter", "ArrowRight", "Enter"):
        page.keyboard.press(key)

    expect(page.get_by_role("button", name="❤️ 1, Kay")).to_be_visible()


def test_a_menu_and_a_dialog_give_the_focus_back(open_page: Open) -> None:
    page = open_page("Kim")
    button = page.get_by_role("button", name="Your account")
    button.focus()
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("menuitem", name="Create an account")).to_be_focused()
    page.keyboard.press("Escape")
    expect(button).to_be_focused()


def test_one_buys_by_keyboard(open_page: Open) -> None:
    page = open_page("Key", "#/shop")
    page.get_by_role("article", name="Mouse").wait_for()
    tab_to(page, "Add Mouse to the cart")
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="Cart")).to_contain_text("1")
    page.get_by_role("link", name="Cart").focus()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Pay").wait_for()
    tab_to(page, "Pay $32.99")
    page.keyboard.press("Enter")

    expect(page.get_by_text("Thank you! Your order is paid.")).to_be_visible()


def test_a_link_keeps_the_focus_when_it_is_drawn_again(open_page: Open) -> None:
    page = open_page("Kit", "#/shop")
    page.get_by_role("article", name="Mouse").wait_for()
    cart = page.get_by_role("link", name="Cart")
    cart.focus()
    page.get_by_label("Add Mouse to the cart").evaluate("button => button.click()")
    expect(cart).to_contain_text("1")

    expect(cart).to_be_focused()
