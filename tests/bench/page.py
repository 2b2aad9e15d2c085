"""The web page in a real browser: what a first visit loads, and how a long room scrolls."""

from __future__ import annotations

import itertools
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import anyio
from playwright.sync_api import Browser, CDPSession, Page, sync_playwright

import hubbub
from tests.bench.table import Row
from tests.browser.chromium import CHROMIUM, DESKTOP, FLAGS, SERVE, serving

__all__ = ["first_visit", "scrolling"]

RUNS = 5
BYTES_MAX = 150_000
USABLE_MS_MAX = 300.0
MESSAGES = 10_000
# Twenty screens a second, for ten seconds at a time.
PIXELS = 160_000
PIXELS_A_SECOND = 16_000
PAUSE_MS = 250.0
# A display of 60 Hz; two of them are seen as a stutter.
FRAME_MS_MAX = 2 * 1000 / 60
ROWS_MAX = 80
ROOM = "Long room"

# When there is something to type into, measured by the page's own clock.
WATCH = """
new MutationObserver((_, observer) => {
  if (!document.querySelector('input[name=nickname]')) return;
  observer.disconnect();
  requestAnimationFrame(() => requestAnimationFrame(() => { window.usable = performance.now(); }));
}).observe(document, { childList: true, subtree: true });
"""


def first_visit(backend: str) -> list[Row]:
    """Measure what a browser loads on its first visit, and when the user can type."""
    with serving(*SERVE, "--backend", backend) as address, _browser() as browser:
        visits = [_visit(browser, address) for _ in range(RUNS + 1)][1:]
    sent, usable, chat = (statistics.median(values) for values in zip(*visits, strict=True))
    return [
        Row("first visit, until one can type", backend, usable, "ms", USABLE_MS_MAX, most=True),
        Row("first visit, until the chat is there", backend, chat, "ms"),
        Row(
            "first visit, all that is sent, with the chat", backend, sent, "bytes", BYTES_MAX, True
        ),
    ]


def _visit(browser: Browser, address: str) -> tuple[float, float, float]:
    context = browser.new_context(viewport=DESKTOP)
    page = context.new_page()
    network = context.new_cdp_session(page)
    sent = 0.0

    def loaded(event: dict[str, Any]) -> None:
        nonlocal sent
        sent += event["encodedDataLength"]

    network.on("Network.loadingFinished", loaded)
    network.send("Network.enable")
    page.add_init_script(WATCH)
    page.goto(address)
    page.wait_for_function("window.usable")
    usable = page.evaluate("window.usable")
    page.get_by_label("Nickname").fill("Ann")
    begun = time.perf_counter()
    page.keyboard.press("Enter")
    page.get_by_text("You have not joined any rooms yet.").wait_for()
    chat = usable + (time.perf_counter() - begun) * 1000
    page.wait_for_timeout(200)
    context.close()
    return sent, usable, chat


def scrolling(backend: str) -> list[Row]:
    """Measure the frames while a long room is scrolled through, up and down again."""
    with tempfile.TemporaryDirectory() as folder:
        database = f"{folder}/page.db"
        anyio.run(_prepare, database)
        command = ("-m", "hubbub.cli", "serve", "--db", database, "--port", "0")
        with serving(*command, "--backend", backend) as address, _browser() as browser:
            page = _long_room(browser, address)
            rows = _scrolled("up, loading", backend, page, PIXELS)
            return rows + _scrolled("down", backend, page, -PIXELS)


async def _prepare(database: str) -> None:
    settings = hubbub.Settings(message_limit=10**7, message_period=1.0)
    async with hubbub.open(database, settings=settings) as hub, hub.session("root") as root:
        room = await root.chat.create_room(ROOM)
        for number in range(MESSAGES):
            words = "word " * (number * 7 % 40)
            await root.chat.send(room.id, f"number {number} {words}")


def _long_room(browser: Browser, address: str) -> Page:
    page = browser.new_page(viewport=DESKTOP)
    page.goto(address)
    page.get_by_label("Nickname").fill("Ann")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Find rooms").first.click()
    page.get_by_role("button", name="Join").click()
    page.get_by_text(f"number {MESSAGES - 1}").wait_for()
    page.get_by_role("log").hover()
    return page


def _scrolled(how: str, backend: str, page: Page, pixels: int) -> list[Row]:
    wanted = "number 0 " if pixels > 0 else f"number {MESSAGES - 1} "
    gesture = {"x": 600, "y": 400, "yDistance": pixels, "speed": PIXELS_A_SECOND}
    finger = page.context.new_cdp_session(page)
    most = 0
    with _frames(page) as frames:
        while not page.get_by_text(wanted).count():
            finger.send("Input.synthesizeScrollGesture", gesture)
            most = max(most, page.get_by_role("article").count())
    # Between two gestures nothing moves, and nothing is drawn.
    gaps = [1000 * (later - earlier) for earlier, later in itertools.pairwise(frames)]
    between = [gap for gap in gaps if gap < PAUSE_MS]
    late = sum(1 for gap in between if gap > FRAME_MS_MAX) / len(between)
    p99 = sorted(between)[int(0.99 * len(between))]
    return [
        Row(f"scrolling {how}: a frame, median", backend, statistics.median(between), "ms"),
        Row(f"scrolling {how}: a frame, p99", backend, p99, "ms", FRAME_MS_MAX, most=True),
        Row(f"scrolling {how}: frames that were late", backend, 100 * late, "%"),
        Row(f"scrolling {how}: messages in the page, most", backend, most, "", ROWS_MAX, most=True),
    ]


@contextmanager
def _frames(page: Page) -> Iterator[list[float]]:
    """Trace the browser; gives a list that has afterwards when frames were drawn, in seconds."""
    tracing: CDPSession = page.context.new_cdp_session(page)
    frames: list[float] = []
    complete: list[bool] = []

    def collected(event: dict[str, Any]) -> None:
        drawn = [one["ts"] / 1e6 for one in event["value"] if one["name"] == "DrawFrame"]
        frames.extend(drawn)

    tracing.on("Tracing.dataCollected", collected)
    tracing.on("Tracing.tracingComplete", lambda _: complete.append(True))
    categories = ["disabled-by-default-devtools.timeline.frame", "devtools.timeline.frame"]
    config = {"includedCategories": categories, "recordMode": "recordAsMuchAsPossible"}
    tracing.send("Tracing.start", {"traceConfig": config})
    yield frames
    tracing.send("Tracing.end")
    while not complete:
        page.wait_for_timeout(50)
    frames.sort()


@contextmanager
def _browser() -> Iterator[Browser]:
    assert CHROMIUM is not None, "a browser is needed: apt install chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()
