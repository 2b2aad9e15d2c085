"""``hubbub repair``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from ..feature_set import FeatureSet
from ..journal.event import Streams
from ..journal.repair import LostEvents, RepairReport, repair
from .databases import only_file
from .exit import exit_on_error
from .feature_names import FeatureNames, features_known
from .verify import count_of

__all__ = ["repair_database"]


def repair_database(
    db: Annotated[
        Path, typer.Argument(metavar="DB", help="The damaged database.", callback=only_file)
    ],
    copy: Annotated[Path, typer.Argument(metavar="COPY", help="The new database to make.")],
    feature: FeatureNames = None,
) -> None:
    """
    Make a sound database of a damaged one.

    The program copies every event that it can read and trust, ends each stream before the
    first event that is missing or damaged, lists what it leaves out, and exits with 1 if that
    is anything. It does not change DB. Restore a backup instead if you have a good one.

    Examples:
        hubbub repair hubbub.db repaired.db
    """
    with exit_on_error():
        streams = Streams(FeatureSet(features_known(feature or ())).streams)
        with Progress(console=Console(stderr=True), transient=True) as progress:
            task = progress.add_task("Reading events", total=None)
            report = repair(db, copy, streams, lambda done: progress.update(task, completed=done))
    for dropped in report.dropped:
        typer.echo(_line(dropped))
    _show_rest(report)
    kept = [
        count_of(report.streams, "stream"),
        count_of(report.events, "event"),
        count_of(report.keys, "key"),
    ]
    typer.echo(f"{copy}: {', '.join(kept)}. Its journal_id is new.")
    raise typer.Exit(1 if report.dropped or report.keys_dropped else 0)


def _line(dropped: LostEvents) -> str:
    first, last = dropped.first, dropped.last
    which = f"event {first} is" if first == last else f"events {first} to {last} are"
    return f"{dropped.stream}: {which} left out: event {first}: {dropped.why}"


def _show_rest(report: RepairReport) -> None:
    if report.damaged_pages:
        typer.echo(f"{count_of(len(report.damaged_pages), 'page')} of the file cannot be decoded.")
    if report.keys_dropped:
        keys = count_of(report.keys_dropped, "idempotency key")
        typer.echo(f"{keys} left out: a client that repeats such a command executes it again.")
    if report.new_secret:
        typer.echo("The key that signs tokens was lost: all users must sign in again.")
