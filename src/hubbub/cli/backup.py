"""``hubbub backup`` and ``hubbub restore``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..journal.backup import backup, restore
from .databases import only_file
from .exit import exit_on_error

__all__ = ["backup_database", "restore_database"]

Force = Annotated[bool, typer.Option("--force", help="Replace the file if it exists.")]


def backup_database(
    db: Annotated[Path, typer.Argument(metavar="DB", help="The database.", callback=only_file)],
    copy: Annotated[Path, typer.Argument(metavar="COPY", help="The file for the copy.")],
    force: Force = False,
) -> None:
    """
    Copy a database, also while it is served.

    The copy has the state of one moment. Only you can read the file.

    Examples:
        hubbub backup hubbub.db backup.db
        hubbub backup /var/lib/hubbub/hubbub.db /backup/$(date +%F).db
    """
    with exit_on_error():
        backup(db, copy, force=force)
    typer.echo(f"Copied {db} to {copy}: {copy.stat().st_size:,} bytes.")


def restore_database(
    copy: Annotated[Path, typer.Argument(metavar="COPY", help="A file from `hubbub backup`.")],
    db: Annotated[
        Path, typer.Argument(metavar="DB", help="The database to make.", callback=only_file)
    ],
    force: Force = False,
) -> None:
    """
    Make a database from a copy.

    Stop the server first. When clients reconnect, the server tells them that the history was
    reset; users stay signed in.

    Examples:
        hubbub restore backup.db hubbub.db --force
    """
    with exit_on_error():
        restore(copy, db, force=force)
    typer.echo(f"Restored {db} from {copy}. Its journal_id is new.")
