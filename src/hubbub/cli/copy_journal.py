"""``hubbub copy``."""

from __future__ import annotations

from contextlib import ExitStack, closing
from typing import Annotated, cast

import typer
from rich.console import Console
from rich.progress import Progress

from ..errors import Invalid
from ..journal.copying import CopyReport, CopyTarget, copy_journal
from ..journal.stores.url import open_store
from .databases import opened_database, shown_database
from .exit import exit_on_error
from .verify import count_of

__all__ = ["copy_database"]

Source = Annotated[
    str, typer.Argument(metavar="SOURCE", help="The database: a path, or postgresql://….")
]
Target = Annotated[
    str, typer.Argument(metavar="TARGET", help="An empty database, or an unfinished copy.")
]


def copy_database(source: Source, target: Target) -> None:
    """
    Copy a database between SQLite and PostgreSQL.

    Stop the servers of both first. The source is only read. If the copy is interrupted, run it
    again, and it continues. At the end the program compares every stream. Clients of the copy
    continue where they were, and users stay signed in.

    A password in the environment variable PGPASSWORD is not seen by other users of the machine.

    Examples:
        hubbub copy hubbub.db postgresql://hubbub@db.example/hubbub
        hubbub copy postgresql://hubbub@db.example/hubbub hubbub.db
    """
    with exit_on_error():
        _check(source, target)
        report = _copy(source, target)
    typer.echo(_summary(report))
    if not report.keeps_places:
        typer.echo(
            "Events have other places than in the source: whatever reads all events, such as "
            "your own search index, must begin again.",
            err=True,
        )


def _check(source: str, target: str) -> None:
    if "memory://" in (source, target):
        raise Invalid("memory:// keeps nothing; copy between files and postgresql://.")
    if source == target:
        raise Invalid("The source and the target are the same database.")


def _copy(source: str, target: str) -> CopyReport:
    with ExitStack() as stack:
        old = stack.enter_context(opened_database(source))
        new = stack.enter_context(closing(open_store(target)))
        console = Console(stderr=True)
        bar = Progress(console=console, transient=True, disable=not console.is_terminal)
        progress = stack.enter_context(bar)
        task = progress.add_task(f"Copying to {shown_database(target)}", total=None)
        return copy_journal(
            old,
            # Every store that a URL opens can take over an identity.
            cast("CopyTarget", new),
            lambda done, total: progress.update(task, completed=done, total=total),
        )


def _summary(report: CopyReport) -> str:
    parts = [
        count_of(report.streams, "stream"),
        count_of(report.events, "event"),
        count_of(report.keys, "key"),
        count_of(report.snapshots, "snapshot"),
    ]
    return f"{', '.join(parts)}; {report.copied:,} of the events are new. Both are equal."
