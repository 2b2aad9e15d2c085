"""The configuration file of ``hubbub serve``: its options and settings, in TOML."""

from __future__ import annotations

import tomllib
from collections.abc import Collection
from pathlib import Path
from typing import Annotated, NamedTuple

import typer
from typer.core import TyperOption

from ..errors import Invalid
from .assignments import NAMES, SECRET_NAMES
from .suggestions import did_you_mean

__all__ = ["Config", "ConfigFile", "config_of", "read_config", "readers_warning"]

# Options that are no keys of the file: the file itself, and what the table [settings] is for.
NO_KEYS = {"config", "set_", "help"}
SETTINGS = "settings"
# The permissions of a file with which its group or everybody can read it.
OTHERS_READ = 0o044


class ConfigFile(NamedTuple):
    """The values of options in a file, by their names, and the values of settings."""

    options: dict[str, object]
    settings: dict[str, object]


def read_config(path: Path, names: Collection[str]) -> ConfigFile:
    """
    Read a file.

    Args:
        path: the file.
        names: the options that it may set, with underscores; a key may have hyphens instead.

    Raises:
        Invalid: the file cannot be read, is no TOML, or has a key that is no option.
    """
    try:
        found = tomllib.loads(path.read_text())
    except OSError as error:
        raise Invalid(f"{path} cannot be read: {error.strerror or error}.") from error
    except ValueError as error:
        raise Invalid(f"{path} is not TOML: {error}.") from error
    settings = found.pop(SETTINGS, {})
    if not isinstance(settings, dict):
        raise Invalid(f"In {path}, {SETTINGS} must be a table: [{SETTINGS}].")
    for key in found:
        if key.replace("-", "_") not in names:
            raise Invalid(f"{path}: {_unknown(key, names)}")
    return ConfigFile({key.replace("-", "_"): value for key, value in found.items()}, settings)


def readers_warning(path: Path | None, file: ConfigFile) -> str:
    """
    Warn if other users of the machine can read a file with a secret.

    Args:
        path: the file; None if there is none.
        file: its content.

    Returns:
        One line for the log; an empty text if all is well.
    """
    secrets = sorted(SECRET_NAMES & file.settings.keys())
    if path is None or not secrets or not path.stat().st_mode & OTHERS_READ:
        return ""
    names = " and ".join(secrets)
    return f"Other users of this machine can read {names} in {path}. Run: chmod 600 {path}"


def config_of(context: typer.Context) -> ConfigFile:
    """Return what the file of a command says; nothing if there is none."""
    found = context.meta.get(__name__)
    return found if isinstance(found, ConfigFile) else ConfigFile({}, {})


def _use(context: typer.Context, path: Path | None) -> Path | None:
    """Let a file say what neither an option nor the environment says."""
    if path is None or context.resilient_parsing:
        return path
    params = {
        one.name: one
        for one in context.command.params
        if isinstance(one, TyperOption) and one.name not in NO_KEYS and not one.hidden
    }
    try:
        file = read_config(path, params.keys())
    except Invalid as error:
        raise typer.BadParameter(error.message) from error
    for name, value in file.options.items():
        if params[name].multiple and not isinstance(value, list):
            file.options[name] = [value]
        try:
            params[name].process_value(context, file.options[name])
        except typer.BadParameter as error:
            text = f"{path}: {name} cannot be {value!r}: {error.message}"
            raise typer.BadParameter(text) from error
    context.default_map = file.options
    context.meta[__name__] = file
    return path


Config = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        envvar="HUBBUB_CONFIG",
        show_envvar=False,
        is_eager=True,
        rich_help_panel="Database and settings",
        callback=_use,
        help="Read options and settings from a TOML file.",
    ),
]


def _unknown(key: str, names: Collection[str]) -> str:
    if key in NAMES:
        return f"{key} is a setting; write it under [{SETTINGS}]."
    if key == "set":
        return f"write settings under [{SETTINGS}]."
    hint = did_you_mean(key.replace("-", "_"), names)
    return f"there is no option {key!r}." + (hint or f" The options are {', '.join(names)}.")
