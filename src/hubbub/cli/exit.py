"""How a command ends when it cannot do what it was asked."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import typer

from ..errors import HubbubError

__all__ = ["exit_on_error", "fail"]


def fail(message: str) -> typer.Exit:
    """Write one line to the standard error; return what to raise to exit with 1."""
    typer.echo(message, err=True)
    return typer.Exit(1)


@contextmanager
def exit_on_error() -> Iterator[None]:
    """Show a HubbubError as its message, and exit with 1."""
    try:
        yield
    except HubbubError as error:
        raise fail(error.message) from error
