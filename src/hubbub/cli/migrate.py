"""``hubbub migrate``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..journal.upgrade import Plan, plan_upgrade, upgrade
from .databases import only_file
from .exit import exit_on_error

__all__ = ["migrate_database"]

DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Show what would be done, and change nothing.")
]
NoBackup = Annotated[bool, typer.Option("--no-backup", help="Do not copy the database first.")]


def migrate_database(
    db: Annotated[Path, typer.Argument(metavar="DB", help="The database.", callback=only_file)],
    dry_run: DryRun = False,
    no_backup: NoBackup = False,
) -> None:
    """
    Bring an older database to this version.

    The command first copies the database into the same directory, and says where. Stop the
    server before you migrate; you can make a dry run while it serves.

    Examples:
        hubbub migrate hubbub.db --dry-run
        hubbub migrate hubbub.db
    """
    with exit_on_error():
        plan = plan_upgrade(db)
        if not plan.migrations:
            typer.echo(f"{db}: version {plan.version}, which this Hubbub needs; nothing to do.")
            return
        _show(db, plan)
        if dry_run:
            typer.echo(f"{db}: nothing was changed; run it without --dry-run to migrate.")
            return
        copy = upgrade(db, keeps_backup=not no_backup)
    if copy is not None:
        typer.echo(f"{copy}: a backup from before the migration.")
    typer.echo(f"{db}: migrated to version {plan.target}.")


def _show(db: Path, plan: Plan) -> None:
    typer.echo(f"{db}: version {plan.version}; this Hubbub needs version {plan.target}.")
    for migration in plan.migrations:
        typer.echo(f"  {migration.version} (Hubbub {migration.release}): {migration.what}")
