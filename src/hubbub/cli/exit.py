"""How a command ends when it cannot do its work."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import typer

from ..errors import HubbubError

__all__ = ["exit_on_error", "fail"]

logger = logging.getLogger("hubbub.cli")


def fail(message: str, *, in_log: bool = False) -> typer.Exit:
    """
    Write one line to the standard error; return what to raise to exit with 1.

    Args:
        message: what is wrong and what to do.
        in_log: whether the line belongs to the log, because every line must be JSON.
    """
    if in_log:
        logger.error("%s", message)
    else:
        typer.echo(message, err=True)
    return typer.Exit(1)


@contextmanager
def exit_on_error(*, in_log: bool = False) -> Iterator[None]:
    """
    Show a HubbubError as its message, and exit with 1.

    Args:
        in_log: as for :func:`fail`.
    """
    try:
        yield
    except HubbubError as error:
        raise fail(error.message, in_log=in_log) from error
