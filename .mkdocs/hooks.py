"""The steps of a build that are Hubbub's own."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

sys.path.insert(0, str(Path(__file__).parent))
from repository import PAGES, ROOT, URLS, links_for_the_site, navigation

# On a code host nobody sees it; on the site the docstrings are in its place.
API = re.compile(r"^<!-- api: (.+) -->$", re.MULTILINE)
ASSETS = {
    "assets/icon.svg": "src/hubbub/web/core/icon.svg",
    "assets/site.css": ".mkdocs/site.css",
}
# Methods of the base of services: they are for authors of a service.
OF_EVERY_SERVICE = ("new_stream", "check", "begin", "waits")
SOURCES = {place: source for source, place in PAGES.items()}


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Take the navigation from the index of the documentation, and the addresses of the project."""
    config.nav = navigation((ROOT / "docs" / "index.md").read_text())
    config.site_url = URLS.get("Documentation")
    # Not repo_url: with it each page would ask the code host for the number of stars.
    if repository := URLS.get("Repository"):
        config.extra["social"] = [{"icon": "fontawesome/brands/git-alt", "link": repository}]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are not in docs/; leave out the fragments of the changelog."""
    for file in list(files):
        if file.src_uri == "index.md" or file.src_uri.startswith("changelog.d/"):
            files.remove(file)
    for source, place in PAGES.items():
        files.append(File.generated(config, place, content=text_of(source)))
    for place, source in ASSETS.items():
        files.append(File.generated(config, place, abs_src_path=str(ROOT / source)))
    return files


def text_of(source: str) -> str:
    text = (ROOT / source).read_text()
    if source == "LICENSE":
        return f"# Licence\n\n```text\n{text}```\n"
    return text


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Lead the links through the site, and put the docstrings in."""
    place = page.file.src_uri
    markdown = links_for_the_site(markdown, SOURCES.get(place, f"docs/{place}"))
    return API.sub(lambda names: "\n\n".join(map(directive, names[1].split())), markdown)


def directive(name: str) -> str:
    """Ask mkdocstrings for an object; a service may have methods from several modules."""
    if ".service." not in name:
        return f"::: {name}"
    options = {"inherited_members": True, "filters": ["!^_", f"!^({'|'.join(OF_EVERY_SERVICE)})$"]}
    return f"::: {name}\n    options: {json.dumps(options)}"
