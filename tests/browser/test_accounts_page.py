"""Accounts on the page: from guest to account, out, and in again."""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec
import pytest
from playwright.sync_api import Page, WebSocketRoute, expect

from hubbub.errors import Closed, Overloaded, RateLimited
from hubbub.wire.messages import error_object
from tests.browser.accounts import PASSWORD, sign_in
from tests.browser.chatting import create_room
from tests.browser.chromium import SERVE, serving
from tests.browser.windows import Open, Shot

# What a server answers a sign-in when it cannot tell just now who one is.
NOT_NOW = [
    Overloaded("Too much to do; try again."),
    RateLimited("You are too fast.", retry_after=0.1),
    Closed("The hub is not open."),
    RuntimeError("the users' database is down"),
]


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """Serve a hub for this file alone: no guest may look like an account that is made here."""
    with serving(*SERVE) as address:
        yield address


def account_menu(page: Page, item: str) -> None:
    page.get_by_role("button", name=re.compile("Your account")).click()
    page.get_by_role("menuitem", name=item).click()


def keep_as_account(page: Page, name: str) -> None:
    account_menu(page, "Create an account")
    page.get_by_label("Account name").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Create account").click()
    expect(page.get_by_text("Account created")).to_be_visible()


def sign_out(page: Page) -> None:
    account_menu(page, "Sign out")
    page.get_by_role("dialog").get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("Nickname")).to_be_visible()


def test_a_guest_becomes_an_account_and_keeps_everything(open_page: Open, shot: Shot) -> None:
    page = open_page("Ida")
    create_room(page, "Ida's room")
    account_menu(page, "Create an account")
    shot(page, "account-create-light")
    page.keyboard.press("Escape")
    keep_as_account(page, "ida")
    sign_out(page)
    shot(page, "entrance-light")
    page.get_by_role("button", name="I have an account").click()
    sign_in(page, "ida")

    expect(page.get_by_role("link", name="Ida's room")).to_be_visible()
    account_menu(page, "Change password")
    expect(page.get_by_role("dialog")).to_be_visible()


def test_a_wrong_password_is_told(open_page: Open, shot: Shot) -> None:
    page = open_page(None, dark=True)
    page.get_by_role("button", name="I have an account").click()
    sign_in(page, "nobody", "wrong password")

    expect(page.get_by_role("alert")).to_contain_text("password")
    shot(page, "entrance-refused-dark")
    page.get_by_role("button", name="Join as a guest").click()
    expect(page.get_by_role("alert")).to_have_count(0)


def test_what_a_guest_put_into_the_cart_comes_along(open_page: Open) -> None:
    keep_as_account(open_page("Kim"), "kim")
    guest = open_page("Somebody", "#/shop")
    guest.get_by_role("button", name="Add Mouse to the cart").click()
    expect(guest.get_by_text("Mouse was added to the cart.")).to_be_visible()
    account_menu(guest, "Sign in to an account")
    sign_in(guest, "kim", "wrong password")
    expect(guest.get_by_role("alert")).to_be_visible()
    sign_in(guest, "kim")

    expect(guest.get_by_role("link", name=re.compile("Cart"))).to_contain_text("1 in the cart")
    expect(guest.get_by_role("button", name=re.compile("Your account"))).to_contain_text("Kim")


def test_who_does_not_sign_in_stays_a_guest(open_page: Open) -> None:
    page = open_page("Lou")
    account_menu(page, "Sign in to an account")
    page.get_by_role("button", name="Continue as a guest").click()

    expect(page.get_by_role("button", name=re.compile("Your account"))).to_contain_text("Lou")


@pytest.mark.parametrize("error", NOT_NOW, ids=lambda error: type(error).__name__)
def test_who_is_not_let_in_just_now_waits_and_is_still_the_same(
    open_page: Open, error: Exception
) -> None:
    page = open_page("Ona")
    refusals: list[str] = []
    shown = {"jsonrpc": "2.0", "id": 0, "error": error_object(error)}
    refusal = msgspec.json.encode(shown).decode()

    def refuse_at_first(socket: WebSocketRoute) -> None:
        if refusals:
            socket.connect_to_server()
        else:
            refusals.append(refusal)
            socket.on_message(lambda _: socket.send(refusal))

    page.route_web_socket("**/ws", refuse_at_first)
    page.reload()

    expect(page.get_by_role("button", name=re.compile("Your account"))).to_contain_text("Ona")
    assert refusals == [refusal]


def test_an_application_signs_its_own_user_in(open_page: Open) -> None:
    guest = open_page("Pia")
    url = guest.url.partition("#")[0]
    answer = guest.request.post(f"{url}api/users/sign_in", data={"nickname": "Quin"}).json()
    page = open_page(None)
    page.evaluate("token => localStorage.setItem('hubbub.token', token)", answer["token"])
    page.reload()
    expect(page.get_by_role("button", name=re.compile("Your account"))).to_contain_text("Quin")

    # Nothing that is good for longer is left behind.
    assert page.evaluate("localStorage.getItem('hubbub.token')") == answer["token"]


def test_to_sign_out_ends_the_other_tab_at_once(open_page: Open) -> None:
    page = open_page("Max")
    other = page.context.new_page()
    other.goto(page.url)
    expect(other.get_by_role("button", name=re.compile("Your account"))).to_contain_text("Max")
    sign_out(page)

    expect(other.get_by_role("alert")).to_contain_text("signed out")


def test_a_profile_is_changed_for_everybody(open_page: Open, shot: Shot) -> None:
    page = open_page("Nan")
    create_room(page, "Nan's room")
    account_menu(page, "Profile")
    shot(page, "profile-light")
    page.get_by_label("Nickname").fill("Nana")
    page.get_by_role("button", name="Save").click()

    members = page.get_by_role("complementary", name="Members")
    expect(members.get_by_text("Nana")).to_be_visible()
