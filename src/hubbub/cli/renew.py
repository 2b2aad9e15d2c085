"""``hubbub renew``."""

from __future__ import annotations

from typing import cast

import typer

from ..journal.copying import CopyTarget
from ..journal.renewal import renew
from .databases import AnyDatabase, check_ready, opened_database, shown_database
from .exit import exit_on_error

__all__ = ["renew_database"]


def renew_database(db: AnyDatabase) -> None:
    """
    Begin a new history after a restore by other tools.

    Use it when you have restored a database with PostgreSQL's tools, or put back a copy of a file
    yourself; `hubbub restore` does it by itself. The command changes only the journal_id. When
    clients reconnect, the server tells them that the history was reset; users stay signed in.
    Stop every server that uses the database first.

    Examples:
        hubbub renew postgresql://hubbub@db.example/hubbub
    """
    with exit_on_error():
        check_ready(db)
        with opened_database(db) as store:
            # Every store that a database has can take over an id.
            renewal = renew(cast("CopyTarget", store))
    typer.echo(
        f"{shown_database(db)}: its journal_id was {renewal.before}, and is {renewal.now} now. "
        "Clients learn that the history was reset when they reconnect."
    )
