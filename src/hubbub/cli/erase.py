"""``hubbub erase``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..feature_set import FeatureSet
from ..features import ServiceAttributes
from ..journal.erase import erase, plan_erasure
from ..journal.event import Streams
from ..journal.stores.contract import CanErase, ErasurePlan
from .administered import Administered, administer
from .databases import AnyDatabase, check_ready, is_url, opened_database, shown_database
from .exit import exit_on_error
from .export import private_kinds, user_id_of
from .feature_names import FeatureNames, features_known

__all__ = ["erase_user"]

DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Show what would be erased, and change nothing.")
]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask whether you are sure.")]


def erase_user(
    user: Annotated[
        str, typer.Argument(metavar="USER", help="The name of the account, or the user's id.")
    ],
    db: AnyDatabase,
    dry_run: DryRun = False,
    yes: Yes = False,
    feature: FeatureNames = None,
) -> None:
    """
    Erase the texts and names of a user.

    The command also disables the user. Events keep their place and the user's id, so nothing
    else changes. This cannot be undone. Stop every server that uses the database first, and run
    `hubbub export` before if you need the data.

    Examples:
        hubbub erase Ann hubbub.db --dry-run
        hubbub erase Ann hubbub.db
    """
    features = FeatureSet(features_known(feature or ()))
    with exit_on_error():
        plan = _plan(db, features, user)
    _show(db, plan)
    if dry_run:
        typer.echo(f"{shown_database(db)}: nothing was changed; run it without --dry-run to erase.")
        return
    if not yes:
        typer.confirm("This cannot be undone. Erase the user?", abort=True, err=True)

    async def disable(session: ServiceAttributes) -> None:
        await session.users.disable(plan.user)

    administer(Administered(db, None, None), disable)
    with exit_on_error():
        _erase(db, features, _plan(db, features, plan.user))
    typer.echo(
        f"{shown_database(db)}: {plan.user} is erased. Erase the user from your backups, too."
    )


def _erase(db: str, features: FeatureSet, plan: ErasurePlan) -> None:
    if not is_url(db):
        erase(Path(db), Streams(features.streams), plan)
        return
    with opened_database(db) as store:
        assert isinstance(store, CanErase)
        store.erase(plan)


def _plan(db: str, features: FeatureSet, user: str) -> ErasurePlan:
    check_ready(db)
    streams = Streams(features.streams)
    with opened_database(db) as store:
        user_id = user_id_of(user, store, streams)
        private = private_kinds(features)
        return plan_erasure(store, streams, private, features.erasures, features.renamed, user_id)


def _show(db: str, plan: ErasurePlan) -> None:
    events = f"{len(plan.bodies):,} events" if len(plan.bodies) != 1 else "1 event"
    typer.echo(f"{shown_database(db)}: {events} of {plan.user} have texts or names of the user.")
    for kind, count in plan.skipped.items():
        typer.echo(f"  {count:,} events of the kind {kind} stay; name the feature with --feature")
