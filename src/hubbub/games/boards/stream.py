"""The names of boards' streams. Pure."""

from __future__ import annotations

from ...errors import Invalid
from ...shown import shown

__all__ = ["board_stream", "is_board", "name_of"]

# How they begin.
_KIND = "board/"


def board_stream(name: object) -> str:
    """Return a board's stream."""
    if not isinstance(name, str):
        raise Invalid(f"A board's name is a string, not {shown(name)}.")
    return f"{_KIND}{name}"


def is_board(stream: str) -> bool:
    """Tell whether a stream is a board's."""
    return stream.startswith(_KIND)


def name_of(stream: str) -> str:
    """Return the name of the board whose stream this is."""
    return stream.removeprefix(_KIND)
