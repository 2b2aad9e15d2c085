"""The command line. What it needs is imported when it is used."""

from __future__ import annotations

import sys

__all__ = ["main"]


def main() -> None:
    """Run the program ``hubbub``; exit with 2 if the packages of its extra are not there."""
    try:
        from .app import app  # noqa: PLC0415  # it needs an extra
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] == "hubbub":
            raise
        sys.stderr.write(
            f"The command hubbub needs the package {error.name}: pip install 'hubbub[all]'\n"
        )
        sys.exit(2)
    app(prog_name="hubbub")
