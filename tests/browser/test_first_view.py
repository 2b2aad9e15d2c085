"""The page as a newcomer sees it."""

from __future__ import annotations

import re

from playwright.sync_api import Page, WebSocketRoute, expect

from tests.browser.chatting import create_room, say
from tests.browser.chromium import PLAIN, SERVE, serving
from tests.browser.windows import Open, Shot, come_in


def offered(page: Page) -> list[str]:
    """Return the names of the rooms that the page offers."""
    rooms = page.get_by_role("list", name="Public rooms").get_by_role("listitem")
    return [room.split("\n")[0] for room in rooms.all_inner_texts()]


def test_a_newcomer_is_offered_the_lobby_and_is_greeted_in_it(open_page: Open, shot: Shot) -> None:
    with serving(*SERVE) as address:
        page = open_page(None)
        page.goto(address)
        come_in(page, "Nora")
        page.get_by_role("list", name="Public rooms").wait_for()
        shot(page, "first-view-light")

        assert offered(page) == ["Lobby"]
        page.get_by_role("listitem").get_by_role("button", name="Join").click()
        expect(page.get_by_role("heading", name="Lobby")).to_be_visible()
        expect(page.locator(".text", has_text="Hello, Nora!")).to_be_visible()
        say(page, "/dice")
        expect(page.locator(".text", has_text="Nora rolls a")).to_be_visible()


def test_a_newcomer_finds_a_bot_to_play_with(open_page: Open) -> None:
    with serving(*SERVE) as address:
        page = open_page(None)
        page.goto(f"{address}/#/games/play")
        come_in(page, "Nora")

        expect(page.get_by_text("Robin (bot)").first).to_be_visible(timeout=10_000)
        expect(page.get_by_text("100 to go").first).to_be_visible()


def test_a_server_without_rooms_offers_none(open_page: Open) -> None:
    with serving(*PLAIN) as address:
        page = open_page(None)
        page.goto(address)
        come_in(page, "Nora")

        expect(page.get_by_text("You have not joined any rooms yet.")).to_be_visible()
        expect(page.get_by_role("list", name="Public rooms")).to_have_count(0)


def test_a_user_who_is_in_a_room_is_offered_no_others(open_page: Open) -> None:
    with serving(*SERVE) as address:
        page = open_page(None)
        page.goto(address)
        come_in(page, "Nora")
        create_room(page, "Mine")

        expect(page.get_by_role("link", name=re.compile("Mine"))).to_be_visible()
        expect(page.get_by_role("list", name="Public rooms")).to_have_count(0)


def test_the_page_says_that_the_server_does_not_answer_and_goes_on(open_page: Open) -> None:
    tries = list[str]()

    def refuse_twice(socket: WebSocketRoute) -> None:
        tries.append(socket.url)
        if len(tries) <= 2:
            socket.close(code=1011)
        else:
            socket.connect_to_server()

    page = open_page(None)
    page.route_web_socket(re.compile(r"/ws$"), refuse_twice)
    page.reload()
    page.get_by_label("Nickname").fill("Nora")
    page.get_by_role("button", name="Join", exact=True).click()

    expect(page.get_by_role("alert")).to_have_text("The server does not answer. Trying again…")
    expect(page.get_by_text("Connected")).to_be_attached()
