"""The table of measured figures, made from the code: run it to update the page."""

from __future__ import annotations

import re

from hubbub.cli.plan import FIGURES
from tests.docs.examples import ROOT

__all__ = ["PAGE", "page"]

PAGE = ROOT / "docs" / "scaling.md"
PLACE = re.compile(r"<!-- figures -->\n.*?<!-- end -->\n", re.DOTALL)


def page(text: str) -> str:
    """Return the page with its table as the code has it."""
    rows = [["figure", "", "measured", "by"], ["---"] * 4]
    rows += [
        [one.what, f"{one.value:,g} {one.unit}", one.date, f"`{one.command}`"] for one in FIGURES
    ]
    table = "".join(f"| {' | '.join(row)} |\n" for row in rows)
    return PLACE.sub(lambda found: f"<!-- figures -->\n{table}<!-- end -->\n", text)


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text()))
