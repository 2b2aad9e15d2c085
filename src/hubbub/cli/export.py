"""``hubbub export``."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, BinaryIO

import typer
from msgspec import json

from ..clock import SystemClock
from ..errors import Conflict, Invalid, StorageError
from ..feature_set import FeatureSet
from ..journal.event import Streams
from ..journal.export import ExportSummary, export
from ..journal.stores.contract import Store
from ..users.account import AccountState, streams_of
from .databases import AnyDatabase, opened_database
from .exit import exit_on_error
from .feature_names import FeatureNames, features_known

__all__ = ["export_user", "private_kinds", "user_id_of"]

# Its owner's alone: it is all that a person has said.
MODE = 0o600
# The longest name of an account that any setting allows here, in characters.
NAME_CHARS = 1_000
# More events than an account ever has.
ALL_EVENTS = 1_000_000
STDOUT = Path("-")

Out = Annotated[
    Path, typer.Option("--out", metavar="FILE", help="The file to write; - is the standard output.")
]


def export_user(
    user: Annotated[
        str, typer.Argument(metavar="USER", help="The name of the account, or the user's id.")
    ],
    db: AnyDatabase,
    out: Out = STDOUT,
    feature: FeatureNames = None,
) -> None:
    """
    Write everything that a database holds about a user.

    Each line is one JSON object. Stop the server of a file first, or export from a copy that
    `hubbub backup` made; a PostgreSQL database can be in use meanwhile.

    Examples:
        hubbub export Ann hubbub.db --out ann.jsonl
    """
    features = FeatureSet(features_known(feature or ()))
    streams, private, now = Streams(features.streams), private_kinds(features), SystemClock().now()
    with exit_on_error(), opened_database(db) as store, _opened(out) as file:
        user_id = user_id_of(user, store, streams)
        summary = _write(export(store, streams, private, user_id, now), file)
    for kind, count in summary.skipped.items():
        typer.echo(
            f"{count:,} events of the kind {kind} were skipped; name the feature with --feature",
            err=True,
        )
    typer.echo(f"{user_id}: {summary.events:,} events, {summary.keys:,} keys.", err=True)


def _write(lines: Iterable[bytes], file: BinaryIO) -> ExportSummary:
    end = b""
    for end in lines:
        file.write(end)
    return json.decode(end, type=ExportSummary)


def private_kinds(features: FeatureSet) -> set[str]:
    """Return the kinds of stream that their owner alone may read, or nobody."""
    return {k for k, grant in features.readers.items() if {"owner", "nobody"} & set(grant.who)}


def user_id_of(name: str, store: Store, streams: Streams) -> str:
    """Return the id of the user whose account has a name; the name itself if there is none."""
    try:
        candidates = streams_of(name, NAME_CHARS)
    except Invalid:
        return name
    for stream in candidates:
        state = AccountState()
        for body in store.read(stream, 0, ALL_EVENTS):
            state.apply(streams.decode(body))
        if state.user:
            return state.user
    return name


@contextmanager
def _opened(out: Path) -> Iterator[BinaryIO]:
    if out == STDOUT:
        yield sys.stdout.buffer
        return
    try:
        descriptor = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, MODE)
    except FileExistsError as error:
        raise Conflict(f"There is a file {out}; use another name.") from error
    except OSError as error:
        raise StorageError(f"{out} cannot be written: {error}.") from error
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
    except BaseException:
        # Half an export looks like a whole one.
        out.unlink(missing_ok=True)
        raise
