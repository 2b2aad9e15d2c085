"""The error for a missing package, which names the extra that installs it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["MissingExtra", "needs"]


class MissingExtra(ImportError):
    """A package is not installed; the message says which extra installs it."""


@contextmanager
def needs(extra: str, what: str) -> Iterator[None]:
    """
    Name the extra to install if a package that the block imports is missing.

    Args:
        extra: of Hubbub's package; it installs all that the block imports.
        what: needs it; the message begins with it.

    Raises:
        MissingExtra: a package is not installed.
    """
    try:
        yield
    except (ModuleNotFoundError, MissingExtra) as error:
        # A module that the block imports may name a smaller extra, which is not enough.
        missing = (error.name or "").partition(".")[0]
        if missing == "hubbub":
            raise
        text = f'{what} needs {missing}, which is not installed: pip install "hubbub[{extra}]"'
        raise MissingExtra(text, name=missing) from None
