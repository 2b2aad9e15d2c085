"""Settings from the command line (``NAME=VALUE``), the environment and a configuration file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, get_origin

import msgspec

from ..errors import Invalid
from ..settings import Settings
from .suggestions import did_you_mean

__all__ = ["NAMES", "PREFIX", "SECRET_NAMES", "SERVE_DEFAULTS", "settings_of"]

PREFIX = "HUBBUB_"
NOTHING: Mapping[str, Any] = {}

# Where `hubbub serve` differs from the library: 10 messages in 10 seconds, not in a minute.
# A person who types is never stopped by it.
SERVE_DEFAULTS: Mapping[str, Any] = {"message_limit": 10, "message_period": 10.0}

# Settings that are objects, which no text can name.
_NOT_TEXT = {"clock", "random"}
_TYPES = {
    field.name: field.type
    for field in msgspec.structs.fields(Settings)
    if field.name not in _NOT_TEXT
}

# The settings that a text can give.
NAMES = tuple(_TYPES)

# Settings that nobody else may see. Every user of a machine sees its command lines.
SECRET_NAMES = frozenset(
    name
    for name, kind in _TYPES.items()
    if kind in (str, str | None) and any(word in name for word in ("secret", "token", "password"))
)

# For every other number, zero would be a mistake.
_MAY_BE_ZERO = {"match_win_points", "presence_grace_seconds", "rating_range_per_second"}


def settings_of(
    assignments: Iterable[str],
    environment: Mapping[str, str] = NOTHING,
    file: Mapping[str, object] = NOTHING,
    defaults: Mapping[str, Any] = NOTHING,
) -> Settings:
    """
    Make settings of what was given; the first source that names a setting counts.

    The sources in their order: ``NAME=VALUE`` texts (the last one of a name), variables
    ``HUBBUB_NAME`` of the environment that are not empty, the file, the defaults, and the
    defaults of the library.

    In a text, separate several values by commas, and a name from its value by a colon:
    ``required_roles=games.submit:admin,chat.create_room:moderator``.

    Args:
        assignments: ``NAME=VALUE`` texts.
        environment: the environment's variables; those of other programs are ignored.
        file: names and values of a configuration file.
        defaults: names and values to use instead of the library's defaults.

    Raises:
        Invalid: there is no such setting, it has no such value, or a text gives a secret.
    """
    variables = {f"{PREFIX}{name.upper()}": name for name in NAMES}
    given = dict(defaults)
    given |= {_known(name): _converted(name, value, strict=True) for name, value in file.items()}
    for variable, name in variables.items():
        if text := environment.get(variable):
            given[name] = _converted(name, text)
    given |= dict(map(_read, assignments))
    return Settings(**given)


def _read(assignment: str) -> tuple[str, Any]:
    name, equals, text = assignment.partition("=")
    if not equals:
        raise Invalid(f"{assignment!r} is not NAME=VALUE, like message_limit=20.")
    if _known(name) in SECRET_NAMES:
        raise Invalid(
            f"Every user of this machine can see the command line, so {name} cannot be set "
            f"there. Set {PREFIX}{name.upper()} in the environment, or write {name} under "
            "[settings] in a --config file."
        )
    return name, _converted(name, text)


def _known(name: str) -> str:
    if name not in _TYPES:
        hint = did_you_mean(name, NAMES) or f" The settings are {', '.join(NAMES)}."
        raise Invalid(f"There is no setting {name!r}.{hint}")
    return name


def _converted(name: str, value: object, *, strict: bool = False) -> Any:
    kind = _TYPES[name]
    shown = "that" if name in SECRET_NAMES else repr(value)
    if isinstance(value, str) and not strict:
        value = _parts(value, kind)
    try:
        converted: Any = msgspec.convert(value, kind, strict=strict)
    except msgspec.ValidationError as error:
        raise Invalid(f"{name} cannot be {shown}: {error}.") from error
    if isinstance(converted, int | float) and not _is_enough(converted, name):
        raise Invalid(f"{name} must be more than 0, not {shown}.")
    return converted


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
