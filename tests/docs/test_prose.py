"""Pages, the web page's labels and what stands in the source call users "they"."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs.examples import PAGES, ROOT

SOURCE = ROOT / "src" / "hubbub"
TEXTS = [*PAGES, *(p for kind in ("py", "js", "html") for p in sorted(SOURCE.rglob(f"*.{kind}")))]
GENDERED = re.compile(r"\b(he|him|his|himself|she|hers?|herself)\b", re.IGNORECASE)


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_nobody_is_called_he(path: Path) -> None:
    found = [
        f"{number}: {line}"
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if GENDERED.search(line)
    ]

    assert not found
