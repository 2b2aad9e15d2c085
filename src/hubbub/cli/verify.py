"""``hubbub verify``."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from ..errors import StorageError
from ..feature_set import FeatureSet
from ..journal.event import Streams
from ..journal.stores.integrity import integrity_faults
from ..journal.upgrade import open_as_it_is
from ..journal.verify import Report, verify
from .exit import exit_on_error, fail
from .feature_names import FeatureNames, features_known

__all__ = ["count_of", "verify_database"]

ADVICE = "Restore a backup, or run `hubbub repair {} COPY` to keep what is sound."


def verify_database(
    db: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, metavar="DB", help="The database.")
    ],
    feature: FeatureNames = None,
) -> None:
    """
    Check a whole database.

    The program checks the file and reads every event, lists the faults that it finds, and
    exits with 1 if there is one. Stop the server first, or verify a copy.

    Examples:
        hubbub verify hubbub.db
        hubbub verify hubbub.db --feature helpdesk.tickets:TICKETS
    """
    if not db.stat().st_size:
        # Opened as a store, it would become a new database.
        raise fail(f"{db} is empty, so it is not a Hubbub database.")
    with exit_on_error():
        streams = Streams(FeatureSet(features_known(feature or ())).streams)
        try:
            report = _read(db, streams)
        except StorageError as error:
            if not (in_file := integrity_faults(db)):
                raise
            _show_faults(in_file)
            raise fail(f"{error.message} {ADVICE.format(db)}") from error
    in_file = integrity_faults(db)
    _show_faults(in_file)
    _show_faults((fault.where, fault.what) for fault in report.faults)
    if unnamed := report.faults_found - len(report.faults):
        typer.echo(f"… and {count_of(unnamed, 'fault')} more")
    report.faults_found += len(in_file)
    for kind, count in report.skipped.items():
        were = "was" if count == 1 else "were"
        typer.echo(
            f"{count_of(count, 'stream')} of the kind {kind} {were} skipped; name the feature "
            "with --feature"
        )
    typer.echo(f"{db}: {_summary(report)}")
    if report.faults_found:
        typer.echo(ADVICE.format(db), err=True)
    raise typer.Exit(1 if report.faults_found else 0)


def _show_faults(faults: Iterable[tuple[str, str]]) -> None:
    for where, what in faults:
        typer.echo(f"{where}: {what}")


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
        count_of(report.streams, "stream"),
        count_of(report.events, "event"),
        count_of(report.snapshots, "snapshot"),
        count_of(report.keys, "key"),
    ]
    faults = count_of(report.faults_found, "fault") if report.faults_found else "no fault"
    return f"{', '.join(read)}: {faults}."


def count_of(number: int, what: str) -> str:
    """Return a number with a noun, in the singular or the plural."""
    return f"{number:,} {what}" + ("" if number == 1 else "s")
