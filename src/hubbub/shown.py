"""How an error message shows a caller's value: never at length, and without failing."""

from __future__ import annotations

from reprlib import Repr

import msgspec

__all__ = ["SHOWN_CHARS_MAX", "repr_without", "shown"]

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


def repr_without(struct: msgspec.Struct, *secret: str) -> str:
    """
    Return what ``repr`` shows of a struct, without the values of its secret fields.

    A log, a traceback or a debugger shows the ``repr`` of whatever it holds.

    Args:
        struct: the struct.
        secret: the names of its fields that are not shown; None and "" are shown.
    """
    values = {name: getattr(struct, name) for name in struct.__struct_fields__}
    fields = (
        f"{name}=***" if name in secret and value else f"{name}={value!r}"
        for name, value in values.items()
    )
    return f"{type(struct).__name__}({', '.join(fields)})"
