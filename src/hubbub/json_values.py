"""Values that JSON can hold: an application's own data, as Hubbub sends and stores it. Pure."""

from __future__ import annotations

from typing import Any

import msgspec

from .errors import Invalid
from .shown import shown

__all__ = ["LEVELS_MAX", "check_object"]

# Levels of nested JSON: encoders accept deeper values, but decoders refuse them.
LEVELS_MAX = 32


def check_object(body: object, bytes_max: int, what: str) -> dict[str, Any]:
    """
    Return an object after a round trip through JSON.

    Raises:
        Invalid: it is not an object, is too large, or is nested more than 32 levels deep.
    """
    if not isinstance(body, dict) or not all(isinstance(name, str) for name in body):
        raise Invalid(f"The {what} must be an object with string keys, not {shown(body)}.")
    try:
        written = msgspec.json.encode(body)
        read = msgspec.json.decode(written, type=dict[str, Any])
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        # An integer beyond 64 bits, a type that JSON lacks, or a value that contains itself.
        raise Invalid(f"This {what} cannot be encoded as JSON: {shown(error)}.") from error
    if len(written) > bytes_max:
        raise Invalid(
            f"The {what} has {len(written):,} bytes of JSON; shorten it to {bytes_max:,} or fewer."
        )
    if _is_deeper(read, LEVELS_MAX):
        raise Invalid(f"The {what} is nested more than {LEVELS_MAX} levels deep; make it flatter.")
    return read


def _is_deeper(value: object, levels: int) -> bool:
    if not isinstance(value, dict | list):
        return False
    inside = value.values() if isinstance(value, dict) else value
    return not levels or any(_is_deeper(one, levels - 1) for one in inside)
