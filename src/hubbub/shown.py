"""What an error message shows of a value that somebody gave: never much, and never a fault."""

from __future__ import annotations

from reprlib import Repr

__all__ = ["SHOWN_CHARS_MAX", "shown"]

# Characters of a value that a message repeats.
SHOWN_CHARS_MAX = 100

_short = Repr()
_short.maxstring = _short.maxlong = _short.maxother = SHOWN_CHARS_MAX
_short.maxlevel = 3
_short.maxdict = _short.maxlist = _short.maxtuple = _short.maxset = 4


def shown(value: object) -> str:
    """
    Return a value in at most ``SHOWN_CHARS_MAX`` characters, as ``repr`` would show it.

    A message must be made of whatever a client sends: of a string of a megabyte, of an
    integer with more digits than Python writes, of an object whose ``repr`` fails.
    """
    try:
        text = _short.repr(value)
    except Exception:  # whatever an object's own repr raises: there is nothing else to show
        text = ""
    if not text:
        text = f"<{type(value).__name__}>"
    return text if len(text) <= SHOWN_CHARS_MAX else f"{text[: SHOWN_CHARS_MAX - 1]}…"
