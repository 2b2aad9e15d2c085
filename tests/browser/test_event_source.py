"""A browser's own EventSource: it gets in with a ticket, and reconnects by itself."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Browser

from hubbub.local_servers.server_process import free_port
from tests.browser.chromium import serving

FOLLOW = """
async () => {
    const post = async (path, body, token) => (await fetch("/api/" + path, {
        method: "POST", body: JSON.stringify(body),
        headers: token ? {Authorization: "Bearer " + token} : {},
    })).json();
    const {token} = await post("users/sign_in", {nickname: "Ann"});
    const room = await post("chat/create_room", {name: "r"}, token);
    const {ticket} = await post("events/ticket", {}, token);
    window.ids = [];
    window.opened = 0;
    const url = `/api/events?stream=${room.stream}&after=0&ticket=${ticket}`;
    window.source = new EventSource(url);
    source.onopen = () => { opened += 1; };
    source.onmessage = (event) => { ids.push(event.lastEventId); };
    window.say = (text) => post("chat/send", {room_id: room.id, text}, token);
}
"""


def test_it_resumes_after_a_restart_with_the_same_url(browser: Browser, tmp_path: Path) -> None:
    port = str(free_port())
    command = ("-m", "hubbub.cli", "serve", "--db", str(tmp_path / "hub.db"), "--port", port)
    # The test waits by evaluating expressions, which the page itself may not.
    context = browser.new_context(bypass_csp=True)
    page = context.new_page()
    with serving(*command) as address:
        page.goto(address)
        page.evaluate(FOLLOW)
        page.wait_for_function("ids.length === 2")
    with serving(*command):
        page.wait_for_function("opened === 2", timeout=15_000)
        page.evaluate("say('hi')")
        page.wait_for_function("ids.length === 3")
        ids = page.evaluate("ids")
        cookies = page.evaluate("document.cookie")
    context.close()

    assert ids == ["1", "2", "3"]
    assert cookies == ""
