"""``hubbub compact``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from ..clock import SystemClock
from ..feature_set import FeatureSet
from ..journal.compact import Survey, compact, survey
from ..journal.event import Streams
from .assignments import settings_of
from .databases import only_file
from .exit import exit_on_error
from .feature_names import FeatureNames, features_known

__all__ = ["compact_database"]

DAY_SECONDS = 86_400

DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Show what would be removed, and change nothing.")
]
KeyDays = Annotated[
    float | None,
    typer.Option(
        metavar="DAYS",
        min=0,
        help="Remove idempotency keys that are older. The default is the setting key_days.",
    ),
]


def compact_database(
    db: Annotated[Path, typer.Argument(metavar="DB", help="The database.", callback=only_file)],
    dry_run: DryRun = False,
    key_days: KeyDays = None,
    feature: FeatureNames = None,
) -> None:
    """
    Make the file of a database smaller.

    No event is lost: the command removes expired idempotency keys and outdated snapshots,
    merges the text index, and gives free space back. For a moment it needs as much space
    again on the disk. Stop the server before you compact; you can make a dry run while it
    serves.

    Examples:
        hubbub compact hubbub.db --dry-run
    """
    with exit_on_error():
        streams = Streams(FeatureSet(features_known(feature or ())).streams)
        days = settings_of((), os.environ).key_days if key_days is None else key_days
        before_time = int(SystemClock().now().timestamp() - days * DAY_SECONDS)
        before = survey(db, streams, before_time)
        _show(db, before)
        if dry_run:
            typer.echo(f"{db}: nothing was changed; run it without --dry-run to compact.")
            return
        after = compact(db, streams, before_time)
    saved = max(0.0, 1 - after.size / before.size)
    typer.echo(f"{db}: {after.size:,} bytes now, {saved:.0%} less.")


def _show(db: Path, found: Survey) -> None:
    typer.echo(f"{db}: {found.size:,} bytes, of which {found.log:,} in the log beside it.")
    typer.echo(f"  expired keys: {found.expired_keys:,}")
    typer.echo(f"  outdated snapshots: {len(found.outdated):,} ({found.outdated_bytes:,} bytes)")
    typer.echo(f"  free pages: {found.free:,} bytes")
