"""
The Python examples of the README and of docs/.

An example is a complete program. A comment before it may say that it ``needs a
server``, which is then there at the address that the example names, or that it is
for ``pytest``. A block of text right after it is what it prints.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

__all__ = ["ADDRESS", "PAGES", "ROOT", "Example", "examples"]

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
# The server in the examples.
ADDRESS = "http://127.0.0.1:8000"
# What is run on both backends.
RUN = "anyio.run(main)"

_EXAMPLE = re.compile(
    r"""
    (?:<!--\ (?P<how>needs\ a\ server|pytest)\ -->\n)?
    ```python\n(?P<code>.*?)```\n
    (?:\n```text\n(?P<prints>.*?)```\n)?
    """,
    re.DOTALL | re.VERBOSE,
)


class Example(NamedTuple):
    """One block: where it stands, how it is run, its code, and what it prints if that is said."""

    name: str
    how: str | None
    code: str
    prints: str | None

    @property
    def backends(self) -> list[str]:
        """Where it is run."""
        both = self.how == "pytest" or RUN in self.code
        return ["asyncio", "trio"] if both else ["asyncio"]


def examples() -> list[Example]:
    """Find all of them."""
    found = []
    for page in PAGES:
        text = page.read_text()
        for match in _EXAMPLE.finditer(text):
            line = text[: match.start("code")].count("\n")
            name = f"{page.relative_to(ROOT)}:{line}"
            found.append(Example(name, match["how"], match["code"], match["prints"]))
    return found
