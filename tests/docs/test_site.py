"""The documentation site builds without a warning, works offline, and has everything."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import subprocess
import sys
import tomllib
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path
from types import ModuleType
from urllib.parse import unquote, urldefrag, urlsplit

import pytest
from markdown_it import MarkdownIt

import hubbub
import hubbub.domain
import hubbub.server
import hubbub.simulator
import hubbub.stores
import hubbub.testing
from hubbub.testing import simulation
from tests.docs.examples import PAGES, ROOT

CONFIGURATION = ROOT / ".mkdocs"
BUILD_SECONDS_MAX = 120
# What a browser loads by itself, and by which attribute.
LOADED = {"audio": "src", "iframe": "src", "img": "src", "script": "src", "source": "src"}
API = ROOT / "docs" / "reference" / "api"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
SERVICES = {feature.service for feature in hubbub.FEATURES if feature.service is not None}


# Whichever test comes first builds it.
pytestmark = pytest.mark.timeout(BUILD_SECONDS_MAX)


class Page(HTMLParser):
    """The anchors, links and loaded files of a built page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.tags: Counter[str] = Counter()
        self._in_article = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take an element up."""
        values = {name: value or "" for name, value in attrs}
        self.ids |= {values[name] for name in ("id", "name") if name in values}
        if tag == "a" and "href" in values:
            self.links.append(values["href"])
        elif tag in LOADED and LOADED[tag] in values:
            self.loads.append(values[LOADED[tag]])
        elif tag == "link" and values.get("rel") not in {"canonical", "next", "prev"}:
            self.loads.append(values["href"])
        self._in_article |= tag == "article"
        if self._in_article:
            self.tags[tag] += 1

    def handle_endtag(self, tag: str) -> None:
        """Leave the article where it ends."""
        self._in_article &= tag != "article"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the site as `nox -s site` does; every warning is an error."""
    folder = tmp_path_factory.mktemp("site")
    built = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)],
        cwd=CONFIGURATION,
        env=os.environ | {"NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        timeout=BUILD_SECONDS_MAX,
        check=False,
    )
    assert built.returncode == 0, built.stderr
    assert "WARNING" not in built.stderr
    return folder


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[str, Page]:
    """Read every page that was built: its path -> what it has."""
    found = {path.relative_to(site).as_posix(): path for path in site.rglob("*.html")}
    return {name: Page(path.read_text()) for name, path in found.items()}


def repository() -> ModuleType:
    """Import the module that maps the repository to the site."""
    path = CONFIGURATION / "repository.py"
    spec = importlib.util.spec_from_file_location("repository", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_page_of_the_repository_is_on_the_site(pages: dict[str, Page]) -> None:
    places = [repository().place_of(page.relative_to(ROOT).as_posix()) for page in PAGES]

    shown = {place.replace(".md", ".html") for place in places if place is not None}
    assert len(shown) > 30
    assert shown <= pages.keys()


def test_every_link_and_anchor_of_the_site_leads_somewhere(
    site: Path, pages: dict[str, Page]
) -> None:
    broken = []
    for name, page in pages.items():
        for link in page.links:
            url, anchor = urldefrag(link)
            if urlsplit(url).scheme or name == "404.html":
                continue
            target = (site / name).parent / unquote(url) if url else site / name
            path = os.path.relpath(target.resolve(), site)
            if not target.exists() or (anchor and unquote(anchor) not in pages[path].ids):
                broken.append(f"{name}: {link}")

    assert broken == []


def test_the_site_loads_nothing_from_elsewhere(site: Path, pages: dict[str, Page]) -> None:
    loads = {url for page in pages.values() for url in page.loads}
    sheets = "".join(path.read_text() for path in site.rglob("*.css"))

    assert len(loads) > 5
    assert [url for url in loads if urlsplit(url).netloc] == []
    assert re.findall(r"url\(['\"]?(https?:[^)]+)|@import", sheets) == []


def test_the_search_finds_a_method_by_its_name(site: Path) -> None:
    index = json.loads((site / "search" / "search_index.json").read_text())
    places = [entry["location"] for entry in index["docs"] if "create_room" in entry["title"]]

    assert "reference/api/services.html#hubbub.chat.service.Chat.create_room" in places


def test_both_colour_schemes_are_there(site: Path) -> None:
    page = (site / "index.html").read_text()

    assert 'data-md-color-media="(prefers-color-scheme: dark)"' in page
    assert 'data-md-color-media="(prefers-color-scheme: light)"' in page


@pytest.mark.parametrize(
    ("page", "names"),
    [
        ("hubbub", [f"hubbub.{name}" for name in hubbub.__all__]),
        ("domain", [f"hubbub.domain.{name}" for name in hubbub.domain.__all__]),
        ("server", [f"hubbub.server.{name}" for name in hubbub.server.__all__]),
        ("testing", [f"hubbub.testing.{name}" for name in hubbub.testing.__all__]),
        ("simulation", [f"hubbub.testing.simulation.{name}" for name in simulation.__all__]),
        ("simulator", [f"hubbub.simulator.{name}" for name in hubbub.simulator.__all__]),
        ("stores", [f"hubbub.stores.{name}" for name in hubbub.stores.__all__]),
        ("services", [f"{kind.__module__}.{kind.__name__}" for kind in SERVICES]),
    ],
)
def test_the_api_reference_has_every_public_name(page: str, names: list[str]) -> None:
    lists = re.findall(r"^<!-- api: (.+) -->$", (API / f"{page}.md").read_text(), re.MULTILINE)

    assert set(names) - set(" ".join(lists).split()) == set()


def test_a_page_looks_on_the_site_as_on_a_code_host(pages: dict[str, Page]) -> None:
    code_host = MarkdownIt("commonmark", {"html": True}).enable("table")
    differ = []
    for path in PAGES:
        place = repository().place_of(path.relative_to(ROOT).as_posix())
        if place is None or API in path.parents:
            continue
        there = Page(f"<article>{code_host.render(path.read_text())}</article>").tags
        here = pages[place.replace(".md", ".html")].tags
        differ += [
            f"{place}: {there[tag]} {tag} on a code host, {here[tag]} on the site"
            for tag in ("blockquote", "h2", "h3", "li", "pre", "table", "tr")
            if there[tag] != here[tag]
        ]

    assert differ == []


@pytest.mark.parametrize(
    ("source", "text", "there"),
    [
        ("README.md", "[Chat](docs/tutorial/first-chat.md#b)", "[Chat](tutorial/first-chat.md#b)"),
        ("README.md", "![A](docs/images/room.png)", "![A](images/room.png)"),
        ("README.md", '<img src="docs/images/room.png">', '<img src="images/room.png">'),
        ("README.md", "[![tests](https://a.example/b.svg)](https://a.example)\nHubbub", "Hubbub"),
        ("README.md", "[PyPI](https://pypi.example/)", "[PyPI](https://pypi.example/)"),
        ("docs/how-to/embed.md", "[Back](../../README.md)", "[Back](../index.md)"),
        ("docs/how-to/embed.md", "[Pages](../index.md)", "[Pages](../contents.md)"),
        ("docs/how-to/embed.md", "[here](#names)", "[here](#names)"),
        ("docs/index.md", "```\n[a](b.md)\n```\n", "```\n[a](b.md)\n```\n"),
    ],
)
def test_links_through_the_repository_lead_through_the_site(
    source: str, text: str, there: str
) -> None:
    assert repository().links_for_the_site(text, source) == there


def test_a_file_that_the_site_does_not_have_is_on_the_code_host() -> None:
    file = "src/hubbub/hub.py"
    written = repository().links_for_the_site(f"[hub](../{file})", "docs/index.md")

    assert written == f"[hub]({PROJECT['urls']['Repository']}/blob/main/{file})"
