"""``hubbub verify``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import typer
from rich.console import Console
from rich.progress import Progress

from ..errors import StorageError
from ..feature_set import FeatureSet
from ..journal.event import Streams
from ..journal.stores.integrity import integrity_faults
from ..journal.verify import Report, verify
from .databases import AnyDatabase, is_url, opened_database, shown_database
from .exit import exit_on_error, fail
from .feature_names import FeatureNames, features_known

__all__ = ["count_of", "verify_database"]

ADVICE = "Restore a backup, or run `hubbub repair {} COPY` to keep what is sound."
SERVER_ADVICE = "Restore a backup."


def verify_database(db: AnyDatabase, feature: FeatureNames = None) -> None:
    """
    Check a whole database.

    The program checks the file and reads every event, lists the faults that it finds, and
    exits with 1 if there is one. Stop the server of a file first, or verify a copy; a PostgreSQL
    database can be in use meanwhile.

    Examples:
        hubbub verify hubbub.db
        hubbub verify postgresql://hubbub@db.example/hubbub
        hubbub verify hubbub.db --feature helpdesk.tickets:TICKETS
    """
    _check_file(db)
    with exit_on_error():
        streams = Streams(FeatureSet(features_known(feature or ())).streams)
        try:
            report = _read(db, streams)
        except StorageError as error:
            if not (in_file := _faults_in_file(db)):
                raise
            _show_faults(in_file)
            raise fail(f"{error.message} {_advice(db)}") from error
    in_file = _faults_in_file(db)
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
    typer.echo(f"{shown_database(db)}: {_summary(report)}")
    if report.faults_found:
        typer.echo(_advice(db), err=True)
    raise typer.Exit(1 if report.faults_found else 0)


def _show_faults(faults: Iterable[tuple[str, str]]) -> None:
    for where, what in faults:
        typer.echo(f"{where}: {what}")


def _check_file(db: str) -> None:
    if is_url(db):
        return
    path = Path(db)
    if not path.is_file():
        raise typer.BadParameter(f"File {db!r} does not exist.", param_hint="'DB'")
    if not path.stat().st_size:
        # Opened as a store, it would become a new database.
        raise fail(f"{db} is empty, so it is not a Hubbub database.")


def _faults_in_file(db: str) -> Sequence[tuple[str, str]]:
    return () if is_url(db) else integrity_faults(Path(db))


def _advice(db: str) -> str:
    return SERVER_ADVICE if is_url(db) else ADVICE.format(db)


def _read(db: str, streams: Streams) -> Report:
    with (
        opened_database(db) as store,
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
