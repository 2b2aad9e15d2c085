"""A real server, a real browser, and pages of users who have signed in."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.browser.chromium import CHROMIUM, DESKTOP, FLAGS, PHONE, SERVE, serving

__all__ = ["Open", "Shot", "browser", "come_in", "open_page", "server", "shot"]

# Where screenshots are kept, for people to look at.
SHOTS = Path(os.environ.get("HUBBUB_TEST_SHOTS", "screenshots"))
Open = Callable[..., Page]
Shot = Callable[[Page, str], None]


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """Serve a hub with the demo's products; gives its address."""
    with serving(*SERVE, "--set", "message_limit=1000") as address:
        yield address


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Open Chromium, without a window."""
    if CHROMIUM is None:
        pytest.skip("no browser: apt install chromium, or set HUBBUB_TEST_BROWSER to one")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser: Browser, server: str) -> Iterator[Open]:
    """Give a function that opens a page in a window of its own, as a new guest or as nobody."""
    contexts: list[BrowserContext] = []
    faults: list[str] = []

    def open_(
        nickname: str | None, path: str = "", *, phone: bool = False, dark: bool = False
    ) -> Page:
        context = browser.new_context(
            viewport=PHONE if phone else DESKTOP,
            has_touch=phone,
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce",
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.goto(f"{server}/{path}")
        if nickname is not None:
            come_in(page, nickname)
        return page

    yield open_
    for context in contexts:
        context.close()
    assert faults == []


def come_in(page: Page, nickname: str) -> None:
    """Sign in as a guest."""
    page.get_by_label("Nickname").fill(nickname)
    page.get_by_role("button", name="Join", exact=True).click()
    page.get_by_text("Connected").wait_for(state="attached")


@pytest.fixture
def shot() -> Shot:
    """Give a function that keeps a screenshot."""

    def shoot(page: Page, name: str) -> None:
        SHOTS.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=SHOTS / f"{name}.png")

    return shoot
