"""Settings that are given on the command line, as ``NAME=VALUE``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from ..errors import Invalid
from ..settings import Settings

__all__ = ["NAMES", "settings_of"]

# What cannot be written on a command line.
_NOT_TEXT = {"clock", "random"}
_TYPES = {
    field.name: field.type
    for field in msgspec.structs.fields(Settings)
    if field.name not in _NOT_TEXT
}

# The settings that can be given.
NAMES = tuple(_TYPES)


def settings_of(assignments: Iterable[str]) -> Settings:
    """
    Make settings of ``NAME=VALUE`` texts; the last one of a name counts.

    Raises:
        Invalid: there is no such setting, or it has no such value.
    """
    return Settings(**dict(map(_read, assignments)))


def _read(assignment: str) -> tuple[str, Any]:
    name, equals, text = assignment.partition("=")
    if not equals or name not in _TYPES:
        raise Invalid(f"{assignment!r} is not NAME=VALUE with a NAME of {', '.join(NAMES)}.")
    try:
        value: Any = msgspec.convert(text, _TYPES[name], strict=False)
    except msgspec.ValidationError as error:
        raise Invalid(f"{name} cannot be {text!r}: {error}.") from error
    if isinstance(value, int | float) and not value > 0:
        raise Invalid(f"{name} must be more than 0, not {text}.")
    return name, value
