"""The page shows what the hub has, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.accounts import ADMIN, PASSWORD, sign_in
from tests.browser.chromium import PLAIN, serving
from tests.browser.windows import Open, Shot

TABS = ["Chat", "Games", "Shop"]
# Of each feature, what an operator looks at.
SECTIONS = {"chat": ["Rooms", "Messages"], "shop": ["Products", "Open orders"]}


@pytest.fixture(scope="module", params=["shop", "chat"])
def left_out(request: pytest.FixtureRequest) -> str:
    """Say what the hub has been served without."""
    name: str = request.param
    return name


@pytest.fixture(scope="module")
def server(left_out: str) -> Iterator[str]:
    """Serve a hub without something, for this file alone."""
    command = (*PLAIN, "--without", left_out, "--admin", ADMIN)
    with serving(*command, HUBBUB_ADMIN_PASSWORD=PASSWORD) as address:
        yield address


@pytest.fixture
def there(left_out: str) -> list[str]:
    """List the tabs that are left."""
    return [tab for tab in TABS if tab.lower() != left_out]


def tabs(page: Page) -> Locator:
    return page.get_by_role("navigation", name="Views").get_by_role("link")


def test_the_tab_of_what_is_left_out_is_not_there(
    open_page: Open, shot: Shot, there: list[str], left_out: str
) -> None:
    page = open_page("Ann")
    expect(page.locator(f"hub-{there[0].lower()}")).to_be_visible()
    shot(page, f"without-{left_out}")

    expect(tabs(page)).to_have_text(there)
    expect(tabs(page).first).to_have_attribute("aria-current", "page")
    expect(page).to_have_title(f"{there[0]} · Hubbub")


def test_a_link_to_what_is_left_out_leads_to_what_is_there(
    open_page: Open, there: list[str], left_out: str
) -> None:
    page = open_page("Ann", f"#/{left_out}/anything")

    expect(page.locator(f"hub-{there[0].lower()}")).to_be_visible()
    expect(page.locator(f"hub-{left_out}")).to_have_count(0)
    expect(tabs(page).first).to_have_attribute("aria-current", "page")


def test_an_operator_sees_nothing_of_it(open_page: Open, shot: Shot, left_out: str) -> None:
    page = open_page(None, "admin")
    sign_in(page, ADMIN)
    expect(page.get_by_role("heading", name="People online")).to_be_visible()
    shot(page, f"operations-without-{left_out}")

    for feature, sections in SECTIONS.items():
        for section in sections:
            heading = page.get_by_role("heading", name=section, exact=True)
            expect(heading).to_have_count(0 if feature == left_out else 1)
    expect(page.locator("#notices")).to_be_empty()
