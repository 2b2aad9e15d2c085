"""``hubbub backup`` and ``hubbub restore``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..journal.backup import backup, restore
from .exit import exit_on_error

__all__ = ["backup_database", "restore_database"]

Force = Annotated[bool, typer.Option("--force", help="Replace the file that is there.")]


def backup_database(
    db: Annotated[Path, typer.Argument(help="The database.")],
    copy: Annotated[Path, typer.Argument(help="Where the copy goes.")],
    force: Force = False,
) -> None:
    """
    Copy a database while the server runs.

    The copy is of one moment, and only its owner can read it.
    """
    with exit_on_error():
        backup(db, copy, force=force)
    typer.echo(f"{copy}: a copy of {db}, {copy.stat().st_size:,} bytes.")


def restore_database(
    copy: Annotated[Path, typer.Argument(help="What `hubbub backup` has made.")],
    db: Annotated[Path, typer.Argument(help="The database to make of it.")],
    force: Force = False,
) -> None:
    """
    Make a database of a copy, while no server has it open.

    Clients that were connected are told that the history was reset. Users stay signed in.
    """
    with exit_on_error():
        restore(copy, db, force=force)
    typer.echo(f"{db}: as it was in {copy}, with a new journal_id.")
