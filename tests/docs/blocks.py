"""The blocks of code of the README and of docs/, as a Markdown parser finds them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

from markdown_it import MarkdownIt

__all__ = ["ASIDE", "PAGES", "ROOT", "Block", "blocks"]

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
# They are pages for people, too, with blocks and links.
ASIDE = [*sorted((ROOT / ".github").glob("*.md")), ROOT / "CHANGELOG.md"]


class Block(NamedTuple):
    """
    One block.

    Args:
        page: the page that it is on.
        line: where it begins.
        language: what is behind the fence; empty for an indented block.
        code: what is in it.
        comment: what a comment right before it says.
        prints: the block of text right after it.
    """

    page: Path
    line: int
    language: str
    code: str
    comment: str
    prints: str | None

    @property
    def name(self) -> str:
        """The page and the line."""
        return f"{self.page.relative_to(ROOT)}:{self.line}"


@cache
def blocks() -> list[Block]:
    """Find all of them."""
    return [block for page in [*PAGES, *ASIDE] for block in _blocks_of(page)]


def _blocks_of(page: Path) -> Iterator[Block]:
    tokens = MarkdownIt("commonmark", {"html": True}).enable("table").parse(page.read_text())
    for before, token, after in zip([None, *tokens], tokens, [*tokens[1:], None], strict=False):
        if token.type not in {"fence", "code_block"}:
            continue
        comment = before.content if before is not None and before.type == "html_block" else ""
        said = re.fullmatch(r"<!-- (.+) -->\s*", comment)
        printed = after is not None and after.type == "fence" and after.info == "text"
        yield Block(
            page,
            (token.map or [0])[0] + 1,
            token.info,
            token.content,
            said[1] if said else "",
            after.content if printed and after is not None else None,
        )
