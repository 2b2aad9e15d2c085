"""The command line. It imports its parts when they are needed."""

from __future__ import annotations

import sys

from ..extras import MissingExtra, needs

__all__ = ["main"]


def main() -> None:
    """Run the program ``hubbub``; exit with 2 if a package that it needs is not installed."""
    try:
        with needs("cli", "The command hubbub"):
            from .app import app  # noqa: PLC0415  # it needs an extra

        app(prog_name="hubbub")
    except MissingExtra as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(2)
