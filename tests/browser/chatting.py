"""Steps of a user in rooms, for tests."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, Page, expect

__all__ = ["act", "create_room", "join_room", "message", "say"]


def create_room(page: Page, name: str) -> None:
    """Make a room, and be in it."""
    page.get_by_role("button", name="New room").first.click()
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_role("button", name="Create").click()
    expect(page.get_by_role("heading", name=name)).to_be_visible()


def join_room(page: Page, name: str) -> None:
    """Find a room, and join it."""
    page.get_by_role("button", name="Find rooms").first.click()
    room = page.get_by_role("dialog").get_by_role("listitem").filter(has_text=name)
    room.get_by_role("button", name="Join").click()
    expect(page.get_by_role("heading", name=name)).to_be_visible()


def say(page: Page, text: str) -> None:
    """Write something, and send it."""
    page.get_by_label("Message", exact=True).fill(text)
    page.keyboard.press("Enter")


def message(page: Page, text: str) -> Locator:
    """Find a message by its whole text."""
    said = re.compile(rf"^{re.escape(text)}( \(edited\))?$")
    return page.get_by_role("article").filter(has=page.locator(".text", has_text=said))


def act(page: Page, text: str, label: str) -> None:
    """Press one of the buttons of a message."""
    it = message(page, text)
    it.hover()
    it.get_by_role("button", name=label, exact=True).click()
