"""The Python examples of the README and of docs/."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

__all__ = ["PAGES", "ROOT", "Example", "examples"]

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]

_EXAMPLE = re.compile(r"(<!-- needs a server -->\n)?```python\n(.*?)```", re.DOTALL)


class Example(NamedTuple):
    """One block: where it stands, whether it talks to a server, and its code."""

    name: str
    needs_server: bool
    code: str


def examples() -> list[Example]:
    """Find all of them."""
    return [
        Example(
            f"{page.relative_to(ROOT)}:{page.read_text()[: found.start()].count(chr(10)) + 1}",
            found[1] is not None,
            found[2],
        )
        for page in PAGES
        for found in _EXAMPLE.finditer(page.read_text())
    ]
