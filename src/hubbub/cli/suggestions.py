"""Suggestions for a misspelt name. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

__all__ = ["did_you_mean"]


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """
    Return a question that names the known word most like another; nothing if none is.

    Args:
        word: what was typed.
        known: what could have been meant.

    Returns:
        A sentence that begins with a space, to put behind a message.
    """
    by_small_letters = {one.lower(): one for one in known}
    nearest = get_close_matches(word.lower(), by_small_letters, n=1)
    return f" Did you mean {by_small_letters[nearest[0]]}?" if nearest else ""
