"""
Record ``docs/images/hubbub.svg``, and take the pictures of the page beside it.

``nox -s recording`` runs a server and a chat in two terminals, and the page; it types and clicks,
and draws what they show. Nothing in it is made up; only the waiting is left out.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import gettempdir

from playwright.sync_api import Browser, Page, ViewportSize, expect, sync_playwright

from tests.browser.chatting import act
from tests.browser.chromium import CHROMIUM, FLAGS
from tests.recording.film import Box, Film, Window
from tests.recording.terminal import Terminal, shell

IMAGES = Path(__file__).parents[2] / "docs" / "images"
ADDRESS = "http://127.0.0.1:8000"
SERVE = "hubbub serve --demo"
CHAT = "hubbub chat http://127.0.0.1:8000 lobby --nickname Alice"

WIDTH, HEIGHT = 880.0, 540.0
SERVER = Window(Box(0, 0, 436, 150), "The server")
CLIENT = Window(Box(0, 162, 436, 378), "Alice, in a terminal")
BROWSER = Window(Box(448, 0, 432, 540), f"Bob, at {ADDRESS}", dark=False)
PAGE = Box(449, 31, 430, 500)
VIEWPORT = ViewportSize(width=430, height=500)
# The picture of a room in a large window.
DESKTOP = ViewportSize(width=1100, height=660)
COLUMNS, SERVER_ROWS, CLIENT_ROWS = 55, 6, 19
# Where the server keeps its database, as it says itself.
HOME = Path(gettempdir()) / "demo"
# How the page writes a minus.
MINUS = "\N{MINUS SIGN}"
KEY_SECONDS = 0.045
BYTES_MAX = 1_000_000
SECONDS_MAX = 20.0


class Recorder:
    """
    Three windows, and the film of them.

    Args:
        server, client: the two terminals.
        page: the page.
    """

    def __init__(self, server: Terminal, client: Terminal, page: Page) -> None:
        self.film = Film(WIDTH, HEIGHT, [SERVER, CLIENT, BROWSER])
        self._terminals = [(SERVER, server), (CLIENT, client)]
        self._page = page
        self._picture = b""

    def show(self, seconds: float, *, page: bool = True) -> None:
        """Add a frame of all windows to the film, for some seconds."""
        for _, terminal in self._terminals:
            terminal.settle()
        if page and self._page.url.startswith(ADDRESS):
            self._picture = self._page.screenshot()
        self.film.show(seconds, self._terminals, (PAGE, self._picture))

    def type(self, terminal: Terminal, text: str) -> None:
        """Type into a terminal, two keys at a time."""
        for start in range(0, len(text), 2):
            terminal.type(text[start : start + 2])
            self.show(2 * KEY_SECONDS, page=False)
        terminal.type("\n")

    def type_on_page(self, text: str) -> None:
        """Type into the page."""
        self._page.keyboard.type(text)
        self.show(0.5)
        self._page.keyboard.press("Enter")


def record(server: Terminal, client: Terminal, browser: Browser) -> Film:
    """Let the story happen, and film it."""
    page = _new_page(browser, VIEWPORT, scale=1.5)
    recorder = Recorder(server, client, page)
    recorder.show(0.3)
    recorder.type(server, SERVE)
    server.until("to stop.")
    page.goto(ADDRESS)
    page.get_by_label("Nickname").wait_for()
    recorder.show(0.7)
    recorder.type(client, CHAT)
    client.until("Hello, Alice!")
    recorder.show(1.2)
    _come_to_the_lobby(recorder, page, client)
    _talk(recorder, page, client)
    _play(recorder, page)
    return recorder.film


def _come_to_the_lobby(recorder: Recorder, page: Page, client: Terminal) -> None:
    page.get_by_label("Nickname").click()
    recorder.type_on_page("Bob")
    join = page.get_by_role("button", name="Join", exact=True)
    page.get_by_text("Lobby").wait_for()
    recorder.show(0.9)
    join.click()
    page.mouse.move(0, 0)
    client.until("Hello, Bob!")
    _said(page, "Hello, Bob!")
    recorder.show(1.0)


def shoot_room(browser: Browser) -> bytes:
    """Return a picture of the lobby as a third user sees it in a large window."""
    page = _new_page(browser, DESKTOP)
    page.goto(ADDRESS)
    page.get_by_label("Nickname").fill("Carol")
    page.get_by_role("button", name="Join", exact=True).click()
    page.get_by_role("listitem").get_by_role("button", name="Join", exact=True).click()
    _said(page, "Hello, Carol!")
    page.get_by_label("Message", exact=True).fill("Hello everyone! 👋")
    page.keyboard.press("Enter")
    _said(page, "Hello everyone! 👋")
    return page.screenshot()


def _said(page: Page, text: str) -> None:
    expect(page.locator(".text", has_text=text).last).to_be_visible()


def _talk(recorder: Recorder, page: Page, client: Terminal) -> None:
    recorder.type(client, "Hi Bob! Robin, roll a die")
    client.until("rolls a")
    _said(page, "rolls a")
    recorder.show(1.2)
    page.get_by_label("Message", exact=True).click()
    recorder.type_on_page("Same history, live, everywhere")
    client.until("everywhere")
    recorder.show(0.9)
    act(page, "Hi Bob! Robin, roll a die", "React")
    recorder.show(0.5)
    page.get_by_role("button", name="🎉").first.click()
    client.until("🎉")
    recorder.show(1.1)


def _play(recorder: Recorder, page: Page) -> None:
    page.get_by_role("link", name="Games").click()
    page.get_by_text("Ada (bot)").first.wait_for()
    recorder.show(1.0)
    page.get_by_role("link", name="Play quick arithmetic").click()
    page.get_by_text("1 s", exact=True).wait_for()
    recorder.show(0.7)
    asked = page.get_by_text(re.compile(rf"^\d+ [{MINUS}+×-] \d+$")).first
    asked.wait_for()
    recorder.show(0.8)
    one, sign, other = (asked.text_content() or "").replace(MINUS, "-").split()
    answers: dict[str, Callable[[int, int], int]] = {"+": int.__add__, "-": int.__sub__}
    answer = answers.get(sign, int.__mul__)(int(one), int(other))
    page.keyboard.type(str(answer))
    recorder.show(0.5)
    page.keyboard.press("Enter")
    page.get_by_text("90 to go").wait_for()
    recorder.show(2.4)


@contextmanager
def _programs() -> Iterator[tuple[Terminal, Terminal, Browser]]:
    environment = {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        "LANG": "C.UTF-8",
        "TZ": "UTC",
    }
    with _new_folder(HOME):
        environment |= {"HOME": str(HOME), "XDG_CONFIG_HOME": f"{HOME}/config"}
        with (
            shell(HOME, environment, COLUMNS, SERVER_ROWS) as server,
            shell(HOME, environment, COLUMNS, CLIENT_ROWS) as client,
            # After the shells: it has threads, and a process with threads is not to be forked.
            sync_playwright() as playwright,
        ):
            for terminal in (server, client):
                terminal.until("$")
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
            yield server, client, browser
            browser.close()


@contextmanager
def _new_folder(path: Path) -> Iterator[None]:
    path.mkdir()
    try:
        yield
    finally:
        shutil.rmtree(path)


def _new_page(browser: Browser, viewport: ViewportSize, scale: float = 1.0) -> Page:
    context = browser.new_context(
        viewport=viewport,
        device_scale_factor=scale,
        reduced_motion="reduce",
        timezone_id="UTC",
        locale="en-GB",
    )
    return context.new_page()


def main() -> None:
    """Record the film, and take the pictures."""
    with _programs() as (server, client, browser):
        film, room = record(server, client, browser), shoot_room(browser)
    (IMAGES / "room.png").write_bytes(room)
    svg = film.svg()
    assert len(svg.encode()) <= BYTES_MAX, "the film is too large"
    assert film.seconds <= SECONDS_MAX, "the film is too long"
    (IMAGES / "hubbub.svg").write_text(svg)
    sys.stdout.write(f"{film.seconds:.1f} s, {len(svg.encode()):,} bytes\n")


if __name__ == "__main__":
    main()
