"""Guests on the page: their label, and a server that takes none."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.browser.accounts import PASSWORD
from tests.browser.chatting import create_room, join_room, message, say
from tests.browser.chromium import SERVE, serving
from tests.browser.windows import Open, Shot


def test_a_guest_has_a_label_until_there_is_an_account(open_page: Open, shot: Shot) -> None:
    gus = open_page("Gustav")
    create_room(gus, "A room with a guest")
    say(gus, "I am a guest")
    ann = open_page("Antonia")
    join_room(ann, "A room with a guest")
    said = message(ann, "I am a guest")

    expect(said.get_by_text("guest", exact=True)).to_be_visible()
    expect(ann.locator(".members .member").filter(has_text="Gustav")).to_contain_text("guest")
    shot(ann, "chat-guest-light")

    gus.get_by_role("button", name=re.compile("Your account")).click()
    gus.get_by_role("menuitem", name="Create an account").click()
    gus.get_by_label("Account name").fill("gustav")
    gus.get_by_label("Password").fill(PASSWORD)
    gus.get_by_role("button", name="Create account").click()
    expect(gus.get_by_text("Account created")).to_be_visible()

    expect(message(gus, "I am a guest").get_by_text("guest", exact=True)).to_have_count(0)


def test_where_no_guests_are_taken_the_page_offers_none(open_page: Open, shot: Shot) -> None:
    page = open_page(None)
    with serving(*SERVE, "--set", "guests=false") as address:
        page.goto(address)

        expect(page.get_by_label("Account name")).to_be_visible()
        expect(page.get_by_label("Nickname")).to_have_count(0)
        expect(page.get_by_role("button", name=re.compile("guest"))).to_have_count(0)
        shot(page, "entrance-no-guests-light")
