"""Encrypted rooms on the page: it shows that there are messages, and has no keys to read them."""

from __future__ import annotations

import re
from pathlib import Path

from anyio import to_thread
from anyio.from_thread import start_blocking_portal
from playwright.sync_api import expect

import hubbub
from hubbub.encryption import encrypted
from tests.browser.windows import Open, Shot
from tests.encryption.kit import PASSPHRASE, make_quick

SECRET = "the words that nobody here may read"


async def say_in_secret(address: str, directory: Path, room: str, texts: list[str]) -> str:
    """Write in an encrypted room, as an application does; return its id."""
    path = directory / "keys"
    await to_thread.run_sync(make_quick, path)
    async with (
        hubbub.connect(address, nickname="Secret Sue") as session,
        encrypted(session, store=path, passphrase=PASSPHRASE) as device,
    ):
        made = await device.chat.create_room(room, encrypted=True)
        for text in texts:
            await device.chat.send(made.id, text)
        return str(made.id)


def test_an_encrypted_room_says_why_it_shows_no_text(
    open_page: Open, server: str, shot: Shot, tmp_path: Path
) -> None:
    # Playwright has an event loop in this thread.
    with start_blocking_portal() as portal:
        portal.call(say_in_secret, server, tmp_path, "Sealed room", [SECRET, SECRET, SECRET])
    page = open_page("Paul")
    page.get_by_role("button", name="Find rooms").first.click()
    found = page.get_by_role("dialog").get_by_role("listitem").filter(has_text="Sealed room")
    found.get_by_role("button", name="Join").click()

    expect(page.get_by_role("heading", name="Encrypted: Sealed room")).to_be_visible()
    expect(page.get_by_text(re.compile("^ ?3 encrypted messages, Secret Sue, "))).to_be_visible()
    expect(page.get_by_text("Messages here are encrypted from end to end")).to_be_visible()
    expect(page.get_by_label("Message", exact=True)).to_be_hidden()
    assert SECRET not in page.content()
    shot(page, "chat-encrypted")
