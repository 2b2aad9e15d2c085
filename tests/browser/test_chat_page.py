"""Chat, in real windows."""

from __future__ import annotations

import itertools
import re

import msgspec
from playwright.sync_api import Page, WebSocketRoute, expect

from hubbub.errors import Closed
from hubbub.wire.messages import error_object
from tests.browser.chatting import act, create_room, join_room, message, say
from tests.browser.windows import Open, Shot

MARKUP = "<img src=x onerror='window.broken=1'><script>window.broken=1</script>"
MANY = 300
# What is in the page of a long room; a window shows about 25.
ROWS_MAX = 80
SCREEN = 40
ROW_PIXELS_MIN = 24
PIXELS_A_SECOND = 8_000


def two_in(open_page: Open, name: str) -> tuple[Page, Page]:
    alice, bob = open_page("Alice"), open_page("Bob")
    create_room(alice, name)
    join_room(bob, name)
    return alice, bob


def test_two_windows_talk(open_page: Open, shot: Shot) -> None:
    alice, bob = two_in(open_page, "Talk")
    say(alice, "Hello Bob")
    expect(message(bob, "Hello Bob")).to_be_visible()
    say(bob, "Hello Alice")
    expect(message(alice, "Hello Alice")).to_be_visible()
    bob.get_by_label("Message", exact=True).press_sequentially("I am")

    expect(alice.get_by_text("Bob is typing…")).to_be_visible()
    expect(alice.get_by_role("button", name="Bob")).to_contain_text("online")
    shot(alice, "chat-desktop-light")


def test_what_is_done_to_a_message_is_seen_by_the_other(open_page: Open, shot: Shot) -> None:
    alice, bob = two_in(open_page, "Deeds")
    say(alice, "First")
    act(bob, "First", "React")
    shot(bob, "chat-picker")
    bob.get_by_role("button", name="🎉").click()
    expect(alice.get_by_role("button", name=re.compile("🎉 1"))).to_be_visible()
    alice.get_by_role("button", name=re.compile("🎉 1")).click()
    expect(bob.get_by_role("button", name=re.compile("🎉 2"))).to_be_visible()

    act(bob, "First", "Reply")
    say(bob, "An answer")
    expect(
        message(alice, "An answer").get_by_role("button", name=re.compile("First"))
    ).to_be_visible()

    act(alice, "First", "Edit")
    say(alice, "First of all")
    expect(bob.get_by_text("(edited)")).to_be_visible()

    act(alice, "First of all", "Delete")
    alice.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(bob.get_by_text("This message was deleted.")).to_be_visible()


def test_another_room_counts_what_is_new(open_page: Open) -> None:
    alice, bob = two_in(open_page, "Counted")
    create_room(bob, "Elsewhere")
    say(alice, "one")
    say(alice, "two")
    link = bob.get_by_role("link", name=re.compile("Counted"))

    expect(link).to_contain_text("2 unread")
    link.click()
    expect(message(bob, "two")).to_be_visible()
    expect(link).not_to_contain_text("unread")


def test_two_write_to_each_other_alone(open_page: Open) -> None:
    alice, bob = two_in(open_page, "Directs")
    alice.get_by_role("button", name="Bob").click()
    alice.get_by_role("menuitem", name="Send a direct message").click()
    alice.get_by_role("dialog").get_by_label("Message").fill("between us")
    alice.get_by_role("dialog").get_by_role("button", name="Send").click()

    expect(message(alice, "between us")).to_be_visible()
    bob.get_by_role("link", name=re.compile("Alice.*1 unread")).click()
    expect(message(bob, "between us")).to_be_visible()


def test_who_loses_the_network_misses_nothing(open_page: Open, shot: Shot) -> None:
    alice, bob = two_in(open_page, "Tunnel")
    say(alice, "before")
    expect(message(bob, "before")).to_be_visible()
    bob.context.set_offline(True)
    expect(bob.get_by_text("Disconnected")).to_be_visible()
    shot(bob, "chat-disconnected")
    for number in range(5):
        say(alice, f"while away {number}")
    say(bob, "from the tunnel")
    expect(bob.get_by_text("sending…")).to_be_visible()
    bob.get_by_label("Message", exact=True).press_sequentially("and")
    bob.context.set_offline(False)

    expect(bob.get_by_text("Connected")).to_be_visible()
    expect(message(alice, "from the tunnel")).to_have_count(1)
    texts = bob.locator("article .text")
    expected = ["before", *(f"while away {number}" for number in range(5)), "from the tunnel"]
    expect(texts).to_have_text(expected)
    # Nobody hears later that one has typed before.
    say(alice, "welcome back")
    expect(message(bob, "welcome back")).to_be_visible()
    expect(alice.get_by_text("Bob is typing…")).to_have_count(0)


def test_a_server_that_is_going_loses_nothing(open_page: Open) -> None:
    page = open_page("Rex")
    create_room(page, "Change of shifts")
    refused: list[int] = []

    def go_at_the_first_message(socket: WebSocketRoute) -> None:
        server = socket.connect_to_server()

        def hear(text: str | bytes) -> None:
            asked = msgspec.json.decode(text)
            if asked["method"] != "chat.send" or refused:
                server.send(text)
                return
            refused.append(asked["id"])
            error = error_object(Closed("The hub is going."))
            answer = {"jsonrpc": "2.0", "id": asked["id"], "error": error}
            socket.send(msgspec.json.encode(answer).decode())

        socket.on_message(hear)

    page.route_web_socket("**/ws", go_at_the_first_message)
    page.reload()
    expect(page.get_by_role("heading", name="Change of shifts")).to_be_visible()
    say(page, "to whom it may concern")

    expect(message(page, "to whom it may concern")).to_have_count(1)
    assert len(refused) == 1


def test_no_text_becomes_markup(open_page: Open, shot: Shot) -> None:
    alice, bob = open_page(f"A {MARKUP}"), open_page("Bob")
    create_room(alice, f"R {MARKUP}")
    join_room(bob, f"R {MARKUP}")
    say(alice, MARKUP)
    expect(message(bob, MARKUP)).to_be_visible()
    act(bob, MARKUP, "Reply")
    shot(bob, "chat-markup")

    for page in (alice, bob):
        assert page.locator("img[src=x]").count() == 0
        assert page.evaluate("window.broken") is None


def test_only_what_is_near_is_in_the_page(open_page: Open) -> None:
    alice = open_page("Alice")
    create_room(alice, "Long")
    fill_room(alice, MANY)
    expect(message(alice, f"number {MANY - 1}")).to_be_visible()
    log = alice.get_by_role("log")
    while not message(alice, "number 0").is_visible():
        log.evaluate("log => { log.scrollTop = 0 }")
        alice.wait_for_function("() => document.querySelectorAll('article').length > 0")

    assert alice.get_by_role("article").count() < ROWS_MAX


# What is at the top of the log in each frame, while one scrolls, and when that was.
NOTE_THE_TOP = """log => {
    window.tops = [];
    const note = () => {
        const { top } = log.getBoundingClientRect();
        const rows = [...log.querySelectorAll('article')];
        const first = rows.find((row) => row.getBoundingClientRect().bottom > top);
        window.tops.push([Number(/number (\\d+)/.exec(first.innerText)[1]), performance.now()]);
        requestAnimationFrame(note);
    };
    note();
}"""


def test_who_scrolls_up_quickly_skips_nothing_when_more_is_loaded(open_page: Open) -> None:
    alice = open_page("Alice")
    create_room(alice, "Quick")
    fill_room(alice, MANY)
    alice.reload()
    log = alice.get_by_role("log")
    expect(message(alice, f"number {MANY - 1}")).to_be_visible()
    log.evaluate(NOTE_THE_TOP)
    # Until the first message is there; a finger that is quick, not a jump.
    finger = alice.context.new_cdp_session(alice)
    way = {"x": 600, "y": 400, "yDistance": 20_000, "speed": PIXELS_A_SECOND}
    finger.send("Input.synthesizeScrollGesture", way)

    tops = alice.evaluate("window.tops")
    assert tops[-1][0] == 0
    # However late a frame is, it has moved as far as the finger, and a screen at most.
    for (before, then), (after, now) in itertools.pairwise(tops):
        moved = (now - then) / 1000 * PIXELS_A_SECOND / ROW_PIXELS_MIN
        assert before - after < SCREEN + moved


def fill_room(page: Page, count: int) -> None:
    """Say much, as quickly as the connection takes it."""
    page.evaluate(
        """async (count) => {
            const { Connection } = await import("/web/core/rpc.js");
            const url = new URL("ws", document.baseURI.replace(/^http/, "ws"));
            const connection = new Connection(url);
            await connection.signIn({ token: localStorage.getItem("hubbub.token") });
            const room_id = decodeURIComponent(location.hash.split("/")[2]);
            const texts = [...Array(count).keys()].map((number) => `number ${number}`);
            const send = (text) => connection.command("chat.send", { room_id, text });
            await Promise.all(texts.map(send));
            connection.end();
        }""",
        count,
    )


def test_a_search_leads_to_the_message(open_page: Open, shot: Shot) -> None:
    alice = open_page("Alice", dark=True)
    create_room(alice, "Haystack")
    say(alice, "the needle")
    expect(message(alice, "the needle")).to_be_visible()
    fill_room(alice, 120)
    expect(message(alice, "number 119")).to_be_visible()
    alice.get_by_role("button", name="Search in this room").click()
    alice.get_by_label("Search terms").fill("needle")
    alice.get_by_role("button", name="Search", exact=True).click()
    shot(alice, "chat-search-dark")
    alice.get_by_role("button", name=re.compile("the needle")).click()

    expect(message(alice, "the needle")).to_be_visible()
    shot(alice, "chat-desktop-dark")


def test_a_phone_shows_one_thing_at_a_time(open_page: Open, shot: Shot) -> None:
    alice, bob = open_page("Alice", phone=True), open_page("Bob")
    create_room(alice, "Pocket")
    join_room(bob, "Pocket")
    say(bob, "Hello from the desk, with a text that is long enough to need a second line")
    expect(alice.get_by_text("Hello from the desk").first).to_be_visible()
    shot(alice, "chat-phone")
    expect(alice.get_by_role("heading", name="Rooms")).to_be_hidden()
    alice.get_by_role("link", name="Back to rooms").click()

    expect(alice.get_by_role("heading", name="Rooms")).to_be_visible()
    shot(alice, "chat-phone-rooms")


def test_a_moderator_mutes_and_puts_out(open_page: Open) -> None:
    alice, bob = two_in(open_page, "Order")
    alice.get_by_role("button", name="Bob").click()
    alice.get_by_role("menuitem", name="Mute…").click()
    alice.get_by_role("button", name="Mute", exact=True).click()
    say(bob, "hello?")
    expect(bob.get_by_text(re.compile("You are muted"))).to_be_visible()
    alice.get_by_role("button", name="Bob").click()
    alice.get_by_role("menuitem", name="Kick").click()
    alice.get_by_role("button", name="Kick", exact=True).click()

    expect(bob.get_by_text("You have not joined any rooms yet.")).to_be_visible()


def test_who_reloads_the_page_is_still_there(open_page: Open) -> None:
    alice, bob = two_in(open_page, "Reload")
    say(alice, "still here")
    expect(message(bob, "still here")).to_be_visible()
    bob.reload()

    expect(message(bob, "still here")).to_be_visible()
    expect(alice.get_by_role("button", name="Bob")).to_contain_text("online")


def test_a_window_that_becomes_narrow_and_wide_again_goes_on(open_page: Open) -> None:
    alice, bob = two_in(open_page, "Accordion")
    for width in (500, 1280, 500):
        alice.set_viewport_size({"width": width, "height": 700})
        say(bob, f"at {width}")
    expect(message(alice, "at 500").last).to_be_visible()
    expect(message(alice, "at 1280")).to_be_visible()
    say(alice, "still here")

    expect(message(bob, "still here")).to_be_visible()


def test_who_changes_their_mind_sees_what_they_chose_last(open_page: Open) -> None:
    page = open_page("Alice")
    page.evaluate(
        "for (const name of ['games', 'shop', 'chat', 'shop']) location.hash = `#/${name}`"
    )

    expect(page.get_by_role("article", name="Mouse")).to_be_visible()
    expect(page.get_by_role("link", name="Shop")).to_have_attribute("aria-current", "page")
