"""Somebody who knows the answers."""

from __future__ import annotations

import re

__all__ = ["answer_to"]

QUESTION = re.compile(r"(\d+) ([+×-]) (\d+) = \?")


def answer_to(line: str) -> int:
    """Return the answer to a question as it is shown."""
    found = QUESTION.search(line)
    assert found is not None
    one, sign, other = int(found[1]), found[2], int(found[3])
    return {"+": one + other, "-": one - other, "×": one * other}[sign]
