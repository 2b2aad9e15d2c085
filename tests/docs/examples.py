"""
The examples of the README and of docs/.

An example is a complete program. A comment before it may say that it ``needs a
server``, perhaps ``with`` some features, which is then there at the address that the
example names, that it is for ``pytest``, or that it is a ``file`` beside the other
examples of its page. A block of text right after it is what it prints.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

__all__ = ["ADDRESS", "PAGES", "ROOT", "Example", "examples", "files_of"]

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
# The server in the examples.
ADDRESS = "http://127.0.0.1:8000"
# What is run on both backends.
RUN = "anyio.run(main)"

_EXAMPLE = re.compile(
    r"""
    (?:<!--\ (?P<how>needs\ a\ server(?:\ with\ (?P<features>\S+))?|pytest|file:\ (?P<file>\S+))
       \ -->\n)?
    ```(?P<language>python|sh(?<=-->\n```sh))\n(?P<code>.*?)```\n
    (?:\n```text\n(?P<prints>.*?)```\n)?
    """,
    re.DOTALL | re.VERBOSE,
)


class Example(NamedTuple):
    """
    One block.

    Args:
        name: where it stands.
        how: how it is run.
        code: what is run.
        prints: the expected output, if the page has it.
        page: the page that it is on.
        language: ``python`` or ``sh``.
        features: the features that the server needs, like ``tickets:TICKETS``.
        file: how it is called, if the others of its page need it.
    """

    name: str
    how: str | None
    code: str
    prints: str | None
    page: Path
    language: str
    features: str | None
    file: str | None

    @property
    def backends(self) -> list[str]:
        """Where it is run."""
        if self.file is not None:
            return []
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
            how, code, prints = match.group("how", "code", "prints")
            language, features, file = match.group("language", "features", "file")
            found.append(Example(name, how, code, prints, page, language, features, file))
    return found


def files_of(page: Path) -> dict[str, str]:
    """Return the files that a page shows: a name -> all blocks of it, one after another."""
    files: dict[str, str] = {}
    for example in examples():
        if example.page == page and example.file is not None:
            before = f"{files[example.file]}\n\n" if example.file in files else ""
            files[example.file] = before + example.code
    return files
