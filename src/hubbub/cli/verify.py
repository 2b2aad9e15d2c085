"""``hubbub verify``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from ..journal.event import Streams
from ..journal.stores.sqlite import SQLiteStore
from ..journal.verify import Report, verify
from ..session import STREAMS
from .failing import exit_on_error, fail

__all__ = ["verify_database"]


def verify_database(
    db: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The database.")],
) -> None:
    """
    Check the whole journal of a database.

    It is read to its end, and what is wrong with it is listed. A database that is
    being served is refused: stop the server first.
    """
    if not db.stat().st_size:
        # Opened as a store it would become a new database.
        raise fail(f"{db} is empty: it is no hubbub database.")
    with exit_on_error():
        report = _read(db)
    for fault in report.faults:
        typer.echo(f"{fault.where}: {fault.what}")
    if unnamed := report.faults_found - len(report.faults):
        typer.echo(f"… and {_count(unnamed, 'fault')} more")
    typer.echo(f"{db}: {_summary(report)}")
    raise typer.Exit(1 if report.faults_found else 0)


def _read(db: Path) -> Report:
    store = SQLiteStore(db)
    try:
        with Progress(console=Console(stderr=True), transient=True) as progress:
            task = progress.add_task("Reading events", total=None)
            return verify(
                store,
                Streams(STREAMS),
                lambda done, total: progress.update(task, completed=done, total=total),
            )
    finally:
        store.close()


def _summary(report: Report) -> str:
    read = [
        _count(report.streams, "stream"),
        _count(report.events, "event"),
        _count(report.snapshots, "snapshot"),
        _count(report.keys, "key"),
    ]
    faults = _count(report.faults_found, "fault") if report.faults_found else "no fault"
    return f"{', '.join(read)}: {faults}."


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}" + ("" if number == 1 else "s")
