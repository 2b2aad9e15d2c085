"""Steps of a user with accounts, for tests; and a server that has an admin."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Page

from tests.browser.chromium import SERVE, serving

__all__ = ["ADMIN", "PASSWORD", "serving_with_admin", "sign_in"]

ADMIN = "olga"
PASSWORD = "correct horse"


@contextmanager
def serving_with_admin() -> Iterator[str]:
    """Serve the demo, with an admin; gives the address."""
    command = (*SERVE, "--admin", ADMIN, "--set", "message_limit=1000")
    with serving(*command, HUBBUB_ADMIN_PASSWORD=PASSWORD) as address:
        yield address


def sign_in(page: Page, name: str, password: str = PASSWORD) -> None:
    """Fill in the form for users with an account, and send it."""
    page.get_by_label("Account name").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in", exact=True).click()
