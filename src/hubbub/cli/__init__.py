"""The command line. It imports its parts when they are needed."""

from __future__ import annotations

import sys

__all__ = ["main"]


def main() -> None:
    """Run the program ``hubbub``; exit with 2 if a package of its extra is not installed."""
    try:
        from .app import app  # noqa: PLC0415  # it needs an extra

        app(prog_name="hubbub")
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] == "hubbub":
            raise
        sys.stderr.write(
            f"The command hubbub needs the package {error.name}: pip install 'hubbub[all]'\n"
        )
        sys.exit(2)
