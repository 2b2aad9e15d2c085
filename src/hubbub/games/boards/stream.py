"""The names of boards' streams. Pure."""

from __future__ import annotations

from ...errors import Invalid
from ...shown import shown

__all__ = ["board_stream", "is_board", "name_of"]

# Their prefix.
_KIND = "board/"


def board_stream(name: object) -> str:
    """Return a board's stream."""
    if not isinstance(name, str):
        raise Invalid(f"A board's name must be a string, not {shown(name)}.")
    return f"{_KIND}{name}"


def is_board(stream: str) -> bool:
    """Return whether a stream belongs to a board."""
    return stream.startswith(_KIND)


def name_of(stream: str) -> str:
    """Return the name of the board of a stream."""
    return stream.removeprefix(_KIND)
