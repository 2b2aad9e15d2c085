"""The environment's variables that the program reads."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

from ..errors import Invalid
from .assignments import NAMES, PREFIX, SECRET_NAMES
from .first_admin import PASSWORD_VARIABLE
from .suggestions import did_you_mean

__all__ = [
    "PASSPHRASE_VARIABLE",
    "RECOVERY_KEY_VARIABLE",
    "TOKEN_VARIABLE",
    "URL_VARIABLE",
    "first_line",
    "unknown_variables",
    "with_secret_files",
]

URL_VARIABLE = "HUBBUB_URL"
TOKEN_VARIABLE = "HUBBUB_TOKEN"  # noqa: S105  # it is the name of one
PASSPHRASE_VARIABLE = "HUBBUB_PASSPHRASE"  # noqa: S105  # it is the name of one
RECOVERY_KEY_VARIABLE = "HUBBUB_RECOVERY_KEY"
# Variables that name a file with a secret, as containers and systemd hand them over.
_FILES = {f"{PREFIX}{name.upper()}_FILE": f"{PREFIX}{name.upper()}" for name in SECRET_NAMES}
# The password of a user that `hubbub users` creates is not the server's, but no mistake either.
_OTHERS = {
    *(URL_VARIABLE, TOKEN_VARIABLE, PASSWORD_VARIABLE, "HUBBUB_PASSWORD"),
    *(PASSPHRASE_VARIABLE, RECOVERY_KEY_VARIABLE),
    *_FILES,
}


def with_secret_files(environment: Mapping[str, str]) -> dict[str, str]:
    """
    Read the secrets that files hold: ``HUBBUB_SECRET_FILE`` is for ``HUBBUB_SECRET``.

    Args:
        environment: all variables.

    Returns:
        The variables, with those secrets.

    Raises:
        Invalid: a file cannot be read, or is empty.
    """
    read = {
        variable: first_line(Path(path), name)
        for name, variable in _FILES.items()
        if (path := environment.get(name))
    }
    return {**environment, **read}


def first_line(path: Path, name: str) -> str:
    """
    Return the first line of a file with a secret.

    Args:
        path: the file.
        name: the variable or the option that names it, for the error.

    Raises:
        Invalid: the file cannot be read, or is empty.
    """
    try:
        found = path.read_text().strip().partition("\n")[0].strip()
    except (OSError, ValueError) as error:
        raise Invalid(f"{name}: {path} cannot be read: {error}.") from error
    if not found:
        raise Invalid(f"{name}: {path} is empty.")
    return found


def unknown_variables(environment: Mapping[str, str], options: Collection[str]) -> str:
    """
    Name the variables ``HUBBUB_…`` that nothing reads: they may be misspelt.

    Args:
        environment: all variables.
        options: the variables that set the options of the command.

    Returns:
        One line for the log; an empty text if all are known.
    """
    known = {*(f"{PREFIX}{name.upper()}" for name in NAMES), *options, *_OTHERS}
    unknown = sorted(name for name in environment if name.startswith(PREFIX) and name not in known)
    return " ".join(
        f"{name} is not a setting or option, and is ignored.{did_you_mean(name, known)}"
        for name in unknown
    )
