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
    db: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The database.")],
    feature: FeatureNames = None,
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
        streams = Streams(FeatureSet(features_known(feature or ())).streams)
        report = _read(db, streams)
    for fault in report.faults:
        typer.echo(f"{fault.where}: {fault.what}")
    if unnamed := report.faults_found - len(report.faults):
        typer.echo(f"… and {_count(unnamed, 'fault')} more")
    for kind, count in report.skipped.items():
        were = "was" if count == 1 else "were"
        typer.echo(
            f"{_count(count, 'stream')} of the kind {kind} {were} skipped: give their feature "
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
