"""Where the files of the repository are on the site."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path, PurePosixPath
from posixpath import normpath, relpath

__all__ = ["PAGES", "ROOT", "URLS", "links_for_the_site", "navigation", "place_of"]

ROOT = Path(__file__).parents[1]
# The pages that are not in docs/, or have another name on the site.
PAGES = {
    "README.md": "index.md",
    "docs/index.md": "contents.md",
    "CHANGELOG.md": "changelog.md",
    "LICENSE": "license.md",
    ".github/SECURITY.md": "security-policy.md",
}
# Where these appear in the navigation.
ABOUT = ("changelog.md", "security-policy.md", "license.md")

URLS = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"].get("urls", {})
# Where the files of the repository are on its code host.
BLOB = f"{URLS['Repository']}/blob/main/" if "Repository" in URLS else None
RAW = BLOB and BLOB.replace("//github.com/", "//raw.githubusercontent.com/").replace("/blob/", "/")

FENCED = re.compile(r"^(```.*?^```$)", re.DOTALL | re.MULTILINE)
LINK = re.compile(
    r"(?<!!)(?P<text>\[(?:[^\[\]]|\[[^\]]*\])*\])\((?P<url>[^)#\s]+)(?P<anchor>#\S*)?\)"
)
IMAGE = re.compile(r"!\[(?P<text>[^\]]*)\]\((?P<url>[^)\s]+)\)")
BADGE = re.compile(r"\[!\[[^\]]*\]\(https?:[^)]+\)\]\([^)]+\)\n?|!\[[^\]]*\]\(https?:[^)]+\)\n?")
ATTRIBUTE = re.compile(r'\b(?P<name>src|srcset|href)="(?P<url>[^"#]+)"')


def place_of(path: str) -> str | None:
    """Return where a file of the repository is on the site, or None if it is not there."""
    if path in PAGES:
        return PAGES[path]
    if path.startswith("docs/") and "changelog.d" not in path:
        return path.removeprefix("docs/")
    return None


def links_for_the_site(text: str, source: str) -> str:
    """
    Rewrite the links of a page, which lead through the repository, for the site.

    A link to a file that the site does not have leads to the code host, or is its text only.
    Pictures from elsewhere, like badges, are left out: the site loads nothing from there.
    """
    parts = FENCED.split(text)
    parts[::2] = map(Links(source).rewritten, parts[::2])
    return "".join(parts)


class Links:
    """
    The links of one page.

    Args:
        source: where the page is in the repository.
    """

    def __init__(self, source: str) -> None:
        self._here = PurePosixPath(source).parent.as_posix()
        self._folder = PurePosixPath(place_of(source) or source).parent.as_posix()

    def rewritten(self, text: str) -> str:
        """Rewrite them in a text without code."""
        if RAW is not None:
            text = text.replace(f"]({RAW}", f"]({relpath('.', self._here)}/")
        text = IMAGE.sub(self._image, BADGE.sub("", text))
        return ATTRIBUTE.sub(self._attribute, LINK.sub(self._link, text))

    def _target(self, url: str) -> str | None:
        path = normpath(f"{self._here}/{url}")
        if BLOB is not None and url.startswith(BLOB):
            path = url.removeprefix(BLOB)
        elif re.match(r"\w+:", url):
            return url
        place = place_of(path)
        if place is None:
            return BLOB and BLOB + path
        return relpath(place, self._folder)

    def _link(self, match: re.Match[str]) -> str:
        there = self._target(match["url"])
        if there is None:
            return match["text"][1:-1]
        return f"{match['text']}({there}{match['anchor'] or ''})"

    def _image(self, match: re.Match[str]) -> str:
        return f"![{match['text']}]({self._target(match['url'])})"

    def _attribute(self, match: re.Match[str]) -> str:
        return f'{match["name"]}="{self._target(match["url"])}"'


def navigation(index: str) -> list[dict[str, object]]:
    """
    Return the navigation: the headings of the index, and under each the pages that it names.

    A line that ends with a colon, or a folder within a section, makes a section of its own.
    """
    nav: list[dict[str, object]] = [{"Hubbub": ["index.md", {"Documentation": "contents.md"}]}]
    for section in re.split(r"^## ", index, flags=re.MULTILINE)[1:]:
        title, _, body = section.partition("\n")
        nav.append({title.strip(): pages_of(body)})
    nav.append({"About": list(ABOUT)})
    return nav


def pages_of(section: str) -> list[object]:
    """Return the pages of one section, each where it is named first."""
    pages: list[object] = []
    groups: dict[str, list[object]] = {"": pages}
    group = ""
    seen = set[str]()
    for line in section.splitlines():
        if heading := re.fullmatch(r"(\w[^*]*):", line):
            group = heading[1]
        for page in re.findall(r"\]\((?!\w+:|\.\.)([^)#]+\.md)", line):
            if page in seen:
                continue
            seen.add(page)
            where = "API" if page.startswith("reference/api/") else group
            if where not in groups:
                groups[where] = []
                pages.append({where: groups[where]})
            groups[where].append(page)
    return pages
