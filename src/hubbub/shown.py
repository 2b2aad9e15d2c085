"""How an error message shows a caller's value: never at length, and without failing."""

from __future__ import annotations

from reprlib import Repr

__all__ = ["SHOWN_CHARS_MAX", "shown"]

# The number of characters of a value that a message repeats.
SHOWN_CHARS_MAX = 100

_short = Repr()
_short.maxstring = _short.maxlong = _short.maxother = SHOWN_CHARS_MAX
_short.maxlevel = 3
_short.maxdict = _short.maxlist = _short.maxtuple = _short.maxset = 4


def shown(value: object) -> str:
    """
    Return the ``repr`` of a value, shortened to ``SHOWN_CHARS_MAX`` characters.

    It works for anything that a client sends: a string of a megabyte, an integer with more
    digits than Python writes, an object whose ``repr`` fails.
    """
    try:
        text = _short.repr(value)
    except Exception:  # an object's own repr can raise anything; fall back to its type
        text = ""
    if not text:
        text = f"<{type(value).__name__}>"
    return text if len(text) <= SHOWN_CHARS_MAX else f"{text[: SHOWN_CHARS_MAX - 1]}…"
