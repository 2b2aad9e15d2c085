"""Features that are named on the command line: ``module:NAME``."""

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

__all__ = ["FeatureNames", "WithoutNames", "features_known", "features_named", "features_served"]

FeatureNames = Annotated[
    list[str] | None,
    typer.Option(
        "--feature",
        metavar="MODULE:NAME",
        help="A feature of your own, like helpdesk.tickets:TICKETS; the module is looked for in "
        "the current directory, too. May be given several times.",
    ),
]
WithoutNames = Annotated[
    list[str] | None,
    typer.Option(
        "--without",
        metavar="NAMES",
        help="Features to leave out, like shop,games. May be given several times.",
    ),
]


def features_served(named: Iterable[str], left_out: Iterable[str]) -> list[Feature]:
    """
    Return the features of a hub: Hubbub's own without some, and then those that are named.

    Args:
        named: like ``helpdesk.tickets:TICKETS``.
        left_out: names of Hubbub's own, each text with commas between them.

    Raises:
        typer.BadParameter: a feature is not there, or cannot be left out.
    """
    without = {name.strip() for names in left_out for name in names.split(",") if name.strip()}
    optional = [one.name for one in FEATURES if one.name != USERS_NAME]
    for name in sorted(without):
        if name == USERS_NAME:
            text = "Users cannot be left out: a session is a user's."
            raise typer.BadParameter(text, param_hint="--without")
        if name not in optional:
            text = f"There is no feature {name!r} to leave out; there are {', '.join(optional)}."
            raise typer.BadParameter(text, param_hint="--without")
    return [*(one for one in FEATURES if one.name not in without), *features_named(named)]


def features_known(named: Iterable[str]) -> list[Feature]:
    """
    Return all of Hubbub's own features, and those that are named.

    Args:
        named: like ``helpdesk.tickets:TICKETS``; a feature replaces Hubbub's own of the same name.

    Raises:
        typer.BadParameter: a feature is not there.
    """
    own = features_named(named)
    names = {one.name for one in own}
    return [*(one for one in FEATURES if one.name not in names), *own]


def features_named(named: Iterable[str]) -> Sequence[Feature]:
    """
    Import features.

    Args:
        named: like ``helpdesk.tickets:TICKETS``.

    Raises:
        typer.BadParameter: a feature is not there.
    """
    try:
        return [_feature(text) for text in named]
    except Invalid as error:
        raise typer.BadParameter(error.message, param_hint="--feature") from error


def _feature(text: str) -> Feature:
    module_name, _, name = text.partition(":")
    if not name or not all(part.isidentifier() for part in module_name.split(".")):
        raise Invalid(f"{text!r} is not MODULE:NAME, like helpdesk.tickets:TICKETS.")
    module = _module(module_name)
    if not hasattr(module, name):
        raise Invalid(f"The module {module_name} has no {name}.")
    found: object = getattr(module, name)
    if not isinstance(found, Feature):
        raise Invalid(f"{text} is no hubbub.domain.Feature, but of type {type(found).__name__}.")
    return found


def _module(name: str) -> object:
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        # It, or a package that it is in; another is a fault of what it imports.
        if error.name is not None and f"{name}.".startswith(f"{error.name}."):
            raise Invalid(f"There is no module {error.name} here, and none is installed.") from None
        raise _broken(name, error) from error
    except Exception as error:
        raise _broken(name, error) from error


def _broken(name: str, error: Exception) -> Invalid:
    place = extract_tb(error.__traceback__)[-1]
    where = "" if isinstance(error, SyntaxError) else f" ({place.filename}, line {place.lineno})"
    return Invalid(f"The module {name} cannot be imported: {type(error).__name__}: {error}{where}.")
