"""Settings that are given on the command line, as ``NAME=VALUE``, or in the environment."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, get_origin

import msgspec

from ..errors import Invalid
from ..settings import Settings

__all__ = ["NAMES", "settings_of"]

PREFIX = "HUBBUB_"
NO_ENVIRONMENT: Mapping[str, str] = {}

# What cannot be written on a command line.
_NOT_TEXT = {"clock", "random"}
_TYPES = {
    field.name: field.type
    for field in msgspec.structs.fields(Settings)
    if field.name not in _NOT_TEXT
}

# The settings that can be given.
NAMES = tuple(_TYPES)

# Of the others nothing at all would be a mistake.
_MAY_BE_ZERO = {"match_win_points", "presence_grace_seconds", "rating_range_per_second"}


def settings_of(
    assignments: Iterable[str], environment: Mapping[str, str] = NO_ENVIRONMENT
) -> Settings:
    """
    Make settings of ``NAME=VALUE`` texts; the last one of a name counts.

    A variable ``HUBBUB_NAME`` of the environment counts where no text names the setting. What
    is secret belongs there: everybody on a machine sees its command lines.

    Several values are separated by commas, and a name in one of them by a colon from what
    it stands for: ``required_roles=games.submit:admin,chat.create_room:moderator``.

    Raises:
        Invalid: there is no such setting, or it has no such value.
    """
    variables = {f"{PREFIX}{name.upper()}": name for name in NAMES}
    given = [f"{variables[one]}={text}" for one, text in environment.items() if one in variables]
    return Settings(**dict(map(_read, [*given, *assignments])))


def _read(assignment: str) -> tuple[str, Any]:
    name, equals, text = assignment.partition("=")
    if not equals or name not in _TYPES:
        raise Invalid(f"{assignment!r} is not NAME=VALUE with a NAME of {', '.join(NAMES)}.")
    kind = _TYPES[name]
    try:
        value: Any = msgspec.convert(_parts(text, kind), kind, strict=False)
    except msgspec.ValidationError as error:
        raise Invalid(f"{name} cannot be {text!r}: {error}.") from error
    if isinstance(value, int | float) and not _is_enough(value, name):
        raise Invalid(f"{name} must be more than 0, not {text}.")
    return name, value


def _parts(text: str, kind: object) -> str | list[str] | dict[str, str]:
    several = get_origin(kind)
    if several not in (Mapping, Sequence):
        return text
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if several is Sequence:
        return parts
    return {one.strip(): other.strip() for one, _, other in (part.partition(":") for part in parts)}


def _is_enough(value: float, name: str) -> bool:
    return isinstance(value, bool) or value > 0 or (value == 0 and name in _MAY_BE_ZERO)
