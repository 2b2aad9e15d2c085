"""Values that JSON can hold: an application's own data, as it travels and is kept. Pure."""

from __future__ import annotations

from typing import Any

import msgspec

from .errors import Invalid
from .shown import shown

__all__ = ["LEVELS_MAX", "check_object"]

# Levels of nested JSON: deeper values could be written, but no decoder would read them again.
LEVELS_MAX = 32


def check_object(body: object, bytes_max: int, what: str) -> dict[str, Any]:
    """
    Return an object as it is when it was written as JSON and read again.

    Raises:
        Invalid: it is none, is larger than so many bytes, or nested more than 32 deep.
    """
    if not isinstance(body, dict) or not all(isinstance(name, str) for name in body):
        raise Invalid(f"The {what} is an object with names and values, not {shown(body)}.")
    try:
        written = msgspec.json.encode(body)
        read = msgspec.json.decode(written, type=dict[str, Any])
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        # An integer beyond 64 bits, a type that JSON has not, something that holds itself.
        raise Invalid(f"This {what} cannot be written as JSON: {shown(error)}.") from error
    if len(written) > bytes_max:
        raise Invalid(f"The {what} has up to {bytes_max:,} bytes as JSON, not {len(written):,}.")
    if _is_deeper(read, LEVELS_MAX):
        raise Invalid(f"The {what} is nested up to {LEVELS_MAX} deep; make it flatter.")
    return read


def _is_deeper(value: object, levels: int) -> bool:
    if not isinstance(value, dict | list):
        return False
    inside = value.values() if isinstance(value, dict) else value
    return not levels or any(_is_deeper(one, levels - 1) for one in inside)
