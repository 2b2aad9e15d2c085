"""``hubbub verify``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from ..feature_set import FeatureSet
from ..journal.event import Streams
from ..journal.upgrade import open_as_it_is
from ..journal.verify import Report, verify
from .exit import exit_on_error, fail
from .feature_names import FeatureNames, features_known

__all__ = ["verify_database"]


def verify_database(
    db: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, metavar="DB", help="The database.")
    ],
    feature: FeatureNames = None,
) -> None:
    """
    Check a whole database.

    The program reads every event, lists the faults that it finds, and exits with 1 if there
    is one. Stop the server first, or verify a copy.

    Examples:
        hubbub verify hubbub.db
        hubbub verify hubbub.db --feature helpdesk.tickets:TICKETS
    """
    if not db.stat().st_size:
        # Opened as a store, it would become a new database.
        raise fail(f"{db} is empty, so it is not a Hubbub database.")
    with exit_on_error():
        streams = Streams(FeatureSet(features_known(feature or ())).streams)
        report = _read(db, streams)
    for fault in report.faults:
        typer.echo(f"{fault.where}: {fault.what}")
    if unnamed := report.faults_found - len(report.faults):
        typer.echo(f"… and {_count(unnamed, 'fault')} more")
    for kind, count in report.skipped.items():
        were = "was" if count == 1 else "were"
        typer.echo(
            f"{_count(count, 'stream')} of the kind {kind} {were} skipped; name the feature "
            "with --feature"
        )
    typer.echo(f"{db}: {_summary(report)}")
    raise typer.Exit(1 if report.faults_found else 0)


def _read(db: Path, streams: Streams) -> Report:
    with (
        open_as_it_is(db) as store,
        Progress(console=Console(stderr=True), transient=True) as progress,
    ):
        task = progress.add_task("Reading events", total=None)
        return verify(
            store,
            streams,
            lambda done, total: progress.update(task, completed=done, total=total),
        )


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
