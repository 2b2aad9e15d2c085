"""
Fold the fragments of docs/changelog.d into the section of this version in CHANGELOG.md.

``python -m tests.docs.changelog`` adds to the section that is there, and deletes the fragments;
``python -m tests.docs.changelog 2026-11-29`` begins a section with this date if there is none.
"""

from __future__ import annotations

import re
import sys
import textwrap
import tomllib
from pathlib import Path
from typing import NamedTuple

from tests.docs.examples import ROOT

__all__ = ["KINDS", "Fragment", "fold", "folded", "fragments_in", "version"]

# The end of a fragment's name -> the heading that it goes under, in the order of the headings.
KINDS = {
    "added": "Added",
    "changed": "Changed",
    "deprecated": "Deprecated",
    "removed": "Removed",
    "fixed": "Fixed",
    "security": "Security",
}
LINE_CHARS = 120


class Fragment(NamedTuple):
    """One change: the file that describes it, its kind, and its text on one line."""

    path: Path
    kind: str
    text: str


def version() -> str:
    """Return the version in pyproject.toml."""
    found: str = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    return found


def fragments_in(folder: Path) -> list[Fragment]:
    """
    Read the fragments in a folder, sorted by name.

    Raises:
        ValueError: a file has an unknown kind, or no text.
    """
    found = []
    for path in sorted(folder.iterdir()):
        if path.name == "README.md":
            continue
        name = re.fullmatch(r"[\w-]+\.(\w+)\.md", path.name)
        if name is None or name[1] not in KINDS:
            raise ValueError(
                f"{path.name}: call it NAME.KIND.md; KIND is one of {', '.join(KINDS)}"
            )
        text = " ".join(path.read_text().split())
        if not text:
            raise ValueError(f"{path.name} is empty")
        found.append(Fragment(path, name[1], text))
    return found


def folded(changelog: str, release: str, fragments: list[Fragment], date: str | None = None) -> str:
    """
    Add fragments to the section of a release.

    Args:
        changelog: the text of CHANGELOG.md.
        release: the version.
        fragments: what to add, each at the end of its kind.
        date: begins a section if there is none yet.

    Raises:
        ValueError: there is no section, and no date for one.
    """
    pattern = rf"^## {re.escape(release)} .*?(?=^## |\Z)"
    section = re.search(pattern, changelog, re.MULTILINE | re.DOTALL)
    if section is None:
        if date is None:
            raise ValueError(f"CHANGELOG.md has no section for {release}; give the date of one")
        newest = re.search(r"^## ", changelog, re.MULTILINE)
        start = len(changelog) if newest is None else newest.start()
        head, tail, body = changelog[:start], changelog[start:], f"## {release} ({date})\n\n"
    else:
        head, tail = changelog[: section.start()], changelog[section.end() :]
        body = section[0].rstrip() + "\n\n"
    for fragment in fragments:
        body = _with_bullet(body, fragment)
    return (head + body + tail).rstrip() + "\n"


def fold(root: Path, release: str, date: str | None = None) -> int:
    """Fold the fragments below a folder, delete them, and return how many there were."""
    fragments = fragments_in(root / "docs" / "changelog.d")
    changelog = root / "CHANGELOG.md"
    if fragments:
        changelog.write_text(folded(changelog.read_text(), release, fragments, date))
    for fragment in fragments:
        fragment.path.unlink()
    return len(fragments)


def _with_bullet(body: str, fragment: Fragment) -> str:
    """Return a section with one more bullet, which is the last of its kind."""
    bullet = textwrap.fill(
        fragment.text,
        LINE_CHARS,
        initial_indent="- ",
        subsequent_indent="  ",
        break_long_words=False,
        break_on_hyphens=False,
    )
    heading = f"### {KINDS[fragment.kind]}\n\n"
    if heading in body:
        start = body.index(heading) + len(heading)
        end = body.find("\n### ", start)
        end = len(body) - 1 if end < 0 else end
        return f"{body[:end]}{bullet}\n{body[end:]}"
    later = list(KINDS.values())[list(KINDS).index(fragment.kind) + 1 :]
    places = [body.index(f"### {kind}\n") for kind in later if f"### {kind}\n" in body]
    place = min(places, default=len(body))
    return f"{body[:place]}{heading}{bullet}\n\n{body[place:]}"


def main(arguments: list[str]) -> None:
    """Fold the fragments of this repository."""
    count = fold(ROOT, version(), arguments[0] if arguments else None)
    sys.stdout.write(f"{count} fragments are in the section of {version()}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
