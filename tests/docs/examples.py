"""
The examples of the README and of docs/.

An example is a complete program. A comment before it may say that it ``needs a
server``, perhaps ``with`` some features, which is then there at the address that the
example names, that it is for ``pytest``, or that it is a ``file`` beside the other
examples of its page. A block of text right after it is what it prints.

A comment may also say that a block is ``not run``, with one of a few reasons, or that it is
``typed in`` a program. ``tests/docs/test_blocks.py`` checks every block that is no example.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

from tests.docs.blocks import PAGES, ROOT, blocks

__all__ = ["ADDRESS", "COMMENT", "PAGES", "ROOT", "RUN", "Example", "examples", "files_of"]

# The server in the examples.
ADDRESS = "http://127.0.0.1:8000"
# What is run on both backends.
RUN = "anyio.run(main)"

COMMENT = re.compile(
    r"(?P<server>needs a server)(?: with (?P<features>\S+))?|(?P<pytest>pytest)"
    r"|file: (?P<file>\S+)|not run: (?P<reason>.+)|typed in: (?P<program>.+)"
)


class Example(NamedTuple):
    """
    One block.

    Args:
        name: where it stands.
        how: how it is run: ``server``, ``pytest`` or ``file``; None is alone.
        code: what is run.
        prints: the output that the page shows, if it does.
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


@cache
def examples() -> list[Example]:
    """Find all of them."""
    found = []
    for block in blocks():
        said = COMMENT.fullmatch(block.comment)
        how = None if said is None else said.lastgroup
        how = "server" if how == "features" else how
        if how in {"reason", "program"}:
            continue
        if block.language == "python" or (block.language == "sh" and how == "server"):
            features, file = (None, None) if said is None else said.group("features", "file")
            code, prints, page = block.code, block.prints, block.page
            found.append(
                Example(block.name, how, code, prints, page, block.language, features, file)
            )
    return found


def files_of(page: Path) -> dict[str, str]:
    """Return the files that a page shows: a name -> all blocks of it, one after another."""
    files: dict[str, str] = {}
    for example in examples():
        if example.page == page and example.file is not None:
            before = f"{files[example.file]}\n\n" if example.file in files else ""
            files[example.file] = before + example.code
    return files
