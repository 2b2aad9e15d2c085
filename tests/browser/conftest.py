"""A real server, a real browser, and pages of those who have signed in."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

pytest.importorskip("playwright.sync_api", reason="no playwright: pip install playwright")

from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, sync_playwright

CHROMIUM = (
    os.environ.get("HUBBUB_TEST_BROWSER") or shutil.which("chromium") or shutil.which("chrome")
)
# Where screenshots are kept, for people to look at.
SHOTS = Path(os.environ.get("HUBBUB_TEST_SHOTS", "screenshots"))
START_SECONDS_MAX = 30

DESKTOP = ViewportSize(width=1280, height=800)
PHONE = ViewportSize(width=390, height=844)

# It is run as root in a container, offline.
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

Open = Callable[..., Page]
Shot = Callable[[Page, str], None]


@contextmanager
def serving(*command: str, **environment: str) -> Iterator[str]:
    """Run a program that serves, in a process of its own; gives the address that it prints."""
    own = {**os.environ, **environment}
    with subprocess.Popen(
        [sys.executable, *command], stdout=subprocess.PIPE, text=True, env=own
    ) as process:
        assert process.stdout is not None
        found = re.search(r"http://[^\s,]+", process.stdout.readline())
        assert found is not None
        yield found.group()
        process.terminate()
        process.wait(START_SECONDS_MAX)


SERVE = ("-m", "hubbub.cli", "serve", "--db", "memory://", "--port", "0", "--demo")


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
    page.get_by_role("button", name="Come in", exact=True).click()
    page.get_by_text("Connected").wait_for(state="attached")


@pytest.fixture
def shot() -> Shot:
    """Give a function that keeps a screenshot."""

    def shoot(page: Page, name: str) -> None:
        SHOTS.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=SHOTS / f"{name}.png")

    return shoot
