"""The games of the web page: two browsers play one another, and others watch."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable

from playwright.sync_api import Page, WebSocketRoute, expect

from tests.browser.windows import Open, Shot

MARKUP = "<img src=x onerror=alert(1)>"
SIGNS: dict[str, Callable[[int, int], int]] = {
    "+": operator.add,
    "\N{MINUS SIGN}": operator.sub,
    "\N{MULTIPLICATION SIGN}": operator.mul,
}
QUESTION = re.compile(r"^\d+ \S \d+$")


def look(page: Page) -> None:
    page.get_by_role("link", name="Play quick arithmetic").click()


def begin(one: Page, other: Page) -> None:
    look(one)
    one.get_by_text("Looking for an opponent…").wait_for()
    look(other)
    for page in (one, other):
        page.get_by_label("Your answer").wait_for()


def points(page: Page, nickname: str) -> int:
    return int(page.get_by_label(f"Points of {nickname}").get_attribute("value") or "")


def right_answer(page: Page) -> int:
    question = page.get_by_role("region", name="Question").get_by_text(QUESTION)
    one, sign, other = question.inner_text().split()
    return SIGNS[sign](int(one), int(other))


def answer(page: Page, number: int) -> None:
    page.get_by_label("Your answer").fill(str(number))
    page.get_by_label("Your answer").press("Enter")


def score(page: Page, nickname: str) -> None:
    """Give the right answer, and wait until it counts."""
    wanted = points(page, nickname) + 10
    answer(page, right_answer(page))
    expect(page.get_by_label(f"Points of {nickname}")).to_have_attribute("value", str(wanted))


def resign(page: Page) -> None:
    page.get_by_role("button", name="Resign").click()
    page.get_by_role("dialog").get_by_role("button", name="Resign").click()


def on_board(page: Page, nickname: str) -> None:
    page.get_by_role("table").get_by_role("row", name=nickname).wait_for()


def test_two_find_one_another_and_play_to_the_end_while_a_third_watches(
    open_page: Open, shot: Shot
) -> None:
    ann = open_page("Ann", "#/games")
    bob = open_page("Bob", "#/games", phone=True)
    cid = open_page("Cid", "#/games", dark=True)
    shot(ann, "games-lobby-desktop-light")
    begin(ann, bob)
    cid.get_by_role("link", name=re.compile("Ann.*Bob.*Watch|Bob.*Ann.*Watch")).click()
    cid.get_by_text("You are watching").wait_for()
    expect(cid.get_by_label("Your answer")).to_have_count(0)
    for _ in range(3):
        score(ann, "Ann")
    score(bob, "Bob")
    answer(bob, right_answer(bob) + 1)
    bob.get_by_text("Waiting…").wait_for()
    shot(bob, "games-match-phone")
    score(ann, "Ann")
    bob.get_by_text(re.compile(r"not \d+ · Ann was first")).wait_for()
    shot(ann, "games-match-desktop-light")
    shot(cid, "games-watch-desktop-dark")
    for _ in range(6):
        score(ann, "Ann")
    ann.get_by_role("heading", name="You won!").wait_for()
    ann.get_by_text(re.compile(r"Your rating: \d+ \(\+\d+\)")).wait_for()
    bob.get_by_role("heading", name="You lost: Ann won").wait_for()
    bob.get_by_text(re.compile(r"Your rating: \d+ \(\S\d+\)")).wait_for()
    shot(ann, "games-result-desktop-light")
    shot(bob, "games-result-phone")
    cid.get_by_role("heading", name="Ann won").wait_for()
    cid.get_by_role("link", name="Back to games").last.click()
    on_board(cid, "Ann")
    shot(cid, "games-lobby-desktop-dark")
    bob.get_by_role("link", name="Back to games").last.click()
    on_board(bob, "Ann")
    shot(bob, "games-lobby-phone")


def test_the_leaderboard_shows_a_win_as_it_happens(open_page: Open) -> None:
    pages = [open_page(name, "#/games") for name in ("Dan", "Eve", "Fay")]
    dan, eve, fay = pages
    begin(dan, eve)
    fay.get_by_role("region", name="Running matches").get_by_role("link", name="Dan").wait_for()
    resign(eve)
    on_board(fay, "Dan")
    fay.get_by_role("region", name="Recent matches").get_by_role("link", name="Dan").wait_for()
    dan.get_by_role("link", name="Back to games").last.click()
    expect(dan.get_by_role("table").get_by_role("row", name="Dan")).to_have_attribute(
        "aria-current", "true"
    )
    dan.get_by_text(re.compile(r"Your rank: \d+")).wait_for()


def test_to_resign_ends_the_match_for_both(open_page: Open) -> None:
    gus, hal = open_page("Gus", "#/games"), open_page("Hal", "#/games")
    begin(gus, hal)
    hal.get_by_role("button", name="Resign").click()
    hal.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    expect(hal.get_by_label("Your answer")).to_be_visible()
    resign(hal)
    hal.get_by_role("heading", name="You lost: Gus won").wait_for()
    gus.get_by_role("heading", name="You won!").wait_for()
    gus.get_by_text("Resigned").wait_for()


def test_a_reload_comes_back_to_the_match(open_page: Open) -> None:
    ida, jan = open_page("Ida", "#/games"), open_page("Jan", "#/games")
    begin(ida, jan)
    score(ida, "Ida")
    score(jan, "Jan")
    answer(ida, right_answer(ida) + 1)
    ida.get_by_text("Waiting…").wait_for()
    ida.reload()
    ida.get_by_text("Waiting…").wait_for()
    assert (points(ida, "Ida"), points(ida, "Jan")) == (10, 10)
    score(jan, "Jan")
    score(ida, "Ida")
    resign(ida)
    jan.get_by_role("heading", name="You won!").wait_for()


def test_who_is_away_is_shown_until_they_are_back(open_page: Open) -> None:
    kim, leo = open_page("Kim", "#/games"), open_page("Leo", "#/games")
    begin(kim, leo)
    leo.context.set_offline(True)
    leo.evaluate("dispatchEvent(new Event('offline'))")
    kim.get_by_text(re.compile(r"Disconnected: \d+ s to return")).wait_for()
    leo.context.set_offline(False)
    expect(kim.get_by_text("Disconnected:")).to_have_count(0)
    score(leo, "Leo")
    resign(kim)


def test_the_search_shows_how_long_it_takes_and_can_be_given_up(
    open_page: Open, shot: Shot
) -> None:
    mia = open_page("Mia", "#/games", dark=True)
    look(mia)
    expect(mia.get_by_role("timer")).to_have_text("1 s")
    mia.get_by_text("Your rating: 1500").wait_for()
    shot(mia, "games-search-desktop-dark")
    mia.get_by_role("link", name="Cancel").click()
    look(mia)
    mia.get_by_text("Looking for an opponent…").wait_for()
    mia.get_by_role("link", name="Cancel").click()
    expect(mia.get_by_role("link", name="Play quick arithmetic")).to_be_visible()


def test_who_finds_nobody_may_try_again(open_page: Open) -> None:
    ned = open_page("Ned", "#/games")
    ned.route_web_socket("**/ws", hurry)
    ned.reload()
    look(ned)
    ned.get_by_text("No opponent found").wait_for()
    ned.get_by_role("button", name="Try again").click()
    ned.get_by_text("No opponent found").wait_for()


def hurry(route: WebSocketRoute) -> None:
    """Let a search wait a short while only."""
    server = route.connect_to_server()
    waits = re.compile(r'"timeout":\d+')
    route.on_message(lambda text: server.send(waits.sub('"timeout":0.2', str(text))))


def test_a_nickname_of_markup_is_shown_as_it_is(open_page: Open) -> None:
    oda, mark = open_page("Oda", "#/games"), open_page(MARKUP, "#/games")
    begin(oda, mark)
    oda.get_by_text(MARKUP, exact=True).wait_for()
    expect(oda.locator("main img")).to_have_count(0)
    score(mark, MARKUP)
    oda.get_by_text(f"· {MARKUP} was first").wait_for()
    resign(oda)
    oda.get_by_role("heading", name=f"You lost: {MARKUP} won").wait_for()
    oda.get_by_role("link", name="Back to games").last.click()
    on_board(oda, MARKUP)
    expect(oda.locator("main img")).to_have_count(0)


def test_a_match_that_is_not_there_says_so(open_page: Open) -> None:
    pat = open_page("Pat", "#/games/nothing")
    pat.get_by_text("This match does not exist; check its id.").wait_for()
    pat.get_by_role("link", name="Back to games").click()
    expect(pat.get_by_role("link", name="Play quick arithmetic")).to_be_visible()
