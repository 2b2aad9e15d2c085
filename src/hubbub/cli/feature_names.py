"""Features that the command line names: ``module:NAME``."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from importlib import import_module
from pathlib import Path
from traceback import extract_tb
from typing import Annotated

import typer

from ..errors import Invalid
from ..feature import Feature
from ..feature_set import USERS_NAME
from ..features import FEATURES
from .suggestions import did_you_mean

__all__ = [
    "FeatureNames",
    "WithoutNames",
    "features_known",
    "features_named",
    "features_served",
    "object_named",
]

FeatureNames = Annotated[
    list[str] | None,
    typer.Option(
        "--feature",
        metavar="MODULE:NAME",
        envvar="HUBBUB_FEATURE",
        show_envvar=False,
        rich_help_panel="Features",
        help="Add a feature of your own, like helpdesk.tickets:TICKETS, from an installed module "
        "or one in the current directory. You can give it several times.",
    ),
]
WithoutNames = Annotated[
    list[str] | None,
    typer.Option(
        "--without",
        metavar="NAMES",
        envvar="HUBBUB_WITHOUT",
        show_envvar=False,
        rich_help_panel="Features",
        help="Leave features out, like shop,games.",
    ),
]


def features_served(named: Iterable[str], left_out: Iterable[str]) -> list[Feature]:
    """
    Return the features of a hub: Hubbub's own without some, and then the named ones.

    Args:
        named: like ``helpdesk.tickets:TICKETS``; commas separate several in one text.
        left_out: names of Hubbub's own features; commas separate several in one text.

    Raises:
        typer.BadParameter: there is no such feature, or it cannot be left out.
    """
    without = {name.strip() for names in left_out for name in names.split(",") if name.strip()}
    optional = [one.name for one in FEATURES if one.name != USERS_NAME]
    for name in sorted(without):
        if name == USERS_NAME:
            text = "Users cannot be left out, because every session belongs to a user."
            raise typer.BadParameter(text, param_hint="--without")
        if name not in optional:
            hint = did_you_mean(name, optional) or f" The features are {', '.join(optional)}."
            text = f"There is no feature {name!r} to leave out.{hint}"
            raise typer.BadParameter(text, param_hint="--without")
    return [*(one for one in FEATURES if one.name not in without), *features_named(named)]


def features_known(named: Iterable[str]) -> list[Feature]:
    """
    Return all of Hubbub's own features, and the named ones.

    Args:
        named: like ``helpdesk.tickets:TICKETS``; a feature replaces Hubbub's own of the same name.

    Raises:
        typer.BadParameter: there is no such feature.
    """
    own = features_named(named)
    names = {one.name for one in own}
    return [*(one for one in FEATURES if one.name not in names), *own]


def features_named(named: Iterable[str]) -> Sequence[Feature]:
    """
    Import features.

    Args:
        named: like ``helpdesk.tickets:TICKETS``; commas separate several in one text.

    Raises:
        typer.BadParameter: there is no such feature.
    """
    parts = [part.strip() for text in named for part in text.split(",")]
    try:
        return [_feature(text) for text in parts]
    except Invalid as error:
        raise typer.BadParameter(error.message, param_hint="--feature") from error


def object_named(text: str, kind: type) -> object:
    """
    Import an object that somebody names: ``module:NAME``.

    Args:
        text: like ``helpdesk.tickets:TICKETS``.
        kind: what is suggested if the module has no such name.

    Raises:
        Invalid: there is no such module or name.
    """
    module_name, _, name = text.partition(":")
    if not name or not all(part.isidentifier() for part in module_name.split(".")):
        raise Invalid(f"{text!r} is not MODULE:NAME, like helpdesk.tickets:TICKETS.")
    module = _module(module_name)
    if not hasattr(module, name):
        alike = [one for one, value in vars(module).items() if isinstance(value, kind)]
        raise Invalid(f"The module {module_name} has no {name}.{did_you_mean(name, alike)}")
    found: object = getattr(module, name)
    return found


def _feature(text: str) -> Feature:
    found = object_named(text, Feature)
    if not isinstance(found, Feature):
        kind = type(found).__name__
        raise Invalid(f"{text} is not a hubbub.domain.Feature, but an object of type {kind}.")
    return found


def _module(name: str) -> object:
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        # The module, or its package, is missing. Anything else is a fault of what it imports.
        if error.name is not None and f"{name}.".startswith(f"{error.name}."):
            text = f"There is no module {error.name} in this directory, and none is installed."
            raise Invalid(text) from None
        raise _broken(name, error) from error
    except Exception as error:
        raise _broken(name, error) from error


def _broken(name: str, error: Exception) -> Invalid:
    place = extract_tb(error.__traceback__)[-1]
    where = "" if isinstance(error, SyntaxError) else f" ({place.filename}, line {place.lineno})"
    return Invalid(f"The module {name} cannot be imported: {type(error).__name__}: {error}{where}.")
