"""The leaderboard of the web page is read page by page."""

from __future__ import annotations

from collections.abc import Iterator

import httpx2
import pytest
from playwright.sync_api import Page, expect

from tests.browser.chromium import SERVE, serving
from tests.browser.windows import Open

PAGE = 20


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """Serve a hub of its own: on this leaderboard there are many."""
    with serving(*SERVE) as address:
        yield address


def with_scores(server: str, count: int) -> None:
    """Let guests submit scores; the first gets the most."""
    with httpx2.Client(base_url=server) as client:
        for number in range(count):
            guest = client.post("/api/users/sign_in", json={"nickname": f"Player {number}"}).json()
            bearer = {"Authorization": f"Bearer {guest['token']}"}
            body = {"board": "main", "score": 10_000 - number}
            client.post("/api/games/submit", json=body, headers=bearer).raise_for_status()


def ranks(page: Page) -> list[int]:
    rows = page.get_by_role("region", name="Leaderboard").locator("tbody tr")
    return [int(row.locator("td").first.inner_text()) for row in rows.all()]


def test_a_long_leaderboard_has_pages(open_page: Open, server: str) -> None:
    with_scores(server, 2 * PAGE + 5)
    page = open_page("Ann", "#/games")
    board = page.get_by_role("region", name="Leaderboard")
    on, back = (board.get_by_role("button", name=name) for name in ("Next", "Previous"))
    expect(back).to_be_disabled()
    assert ranks(page) == list(range(1, PAGE + 1))
    on.click()
    expect(board.get_by_role("cell", name=str(PAGE + 1), exact=True)).to_be_visible()
    assert ranks(page) == list(range(PAGE + 1, 2 * PAGE + 1))
    # What is new is shown without leaving the page, and the button keeps the keyboard.
    with_scores(server, 1)
    expect(on).to_be_focused()
    on.click()
    expect(on).to_be_disabled()
    back.click()
    expect(on).to_be_enabled()
    # Somebody new is above, so that there is one more than two pages.
    for rank in (2, 1):
        back.click()
        expect(board.get_by_role("cell", name=str(rank), exact=True)).to_be_visible()
    expect(back).to_be_disabled()
    assert ranks(page) == list(range(1, PAGE + 1))
