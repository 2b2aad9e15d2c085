"""
Brings the file of a database to the version that this release needs, with a backup first.

A hub that opens an older database does the same, without a backup. Here the operator sees
what is going to happen, and chooses when it does.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

import apsw
import msgspec

from ..errors import Conflict, NotFound, StorageError
from .backup import backup
from .stores.database_file import DatabaseFile
from .stores.migrations import SCHEMA_VERSION, Migration, migrate, pending
from .stores.opening import check_version, open_writer
from .stores.sqlite import SQLiteStore

__all__ = ["BUSY_MS", "Plan", "check_upgraded", "open_as_it_is", "plan_upgrade", "upgrade"]

# How long to wait for a writer, in milliseconds.
BUSY_MS = 10_000


class Plan(msgspec.Struct, frozen=True):
    """
    The plan of an upgrade.

    Args:
        version: of the database.
        target: the version that this release needs.
        migrations: the steps, in order; none if the database has that version.
    """

    version: int
    target: int
    migrations: Sequence[Migration]


def plan_upgrade(db: str | Path) -> Plan:
    """
    Say what an upgrade of a database does; a server may have it open.

    Raises:
        NotFound: there is no such database.
        StorageError: it is not a hubbub database, or of a version that is too new or too old.
    """
    path = Path(db)
    if not path.is_file() or not path.stat().st_size:
        raise NotFound(f"There is no database {db}.")
    try:
        flags = apsw.SQLITE_OPEN_READONLY
        with closing(apsw.Connection(str(path), flags=flags)) as database:
            database.set_busy_timeout(BUSY_MS)
            version = int(database.pragma("user_version"))
            check_version(database, version, db)
    except apsw.Error as error:
        raise StorageError(f"The database {db} cannot be read: {error}.") from error
    return Plan(version, SCHEMA_VERSION, pending(version))


def check_upgraded(db: str | Path) -> None:
    """
    Refuse a database that an upgrade would change.

    Raises:
        NotFound: there is no such database.
        Conflict: its version is older; migrate it first.
        StorageError: it is not a hubbub database, or of a version that is too new or too old.
    """
    if plan_upgrade(db).migrations:
        raise Conflict(f"An older Hubbub made {db}; run `hubbub migrate {db}` first.")


def upgrade(db: str | Path, *, keeps_backup: bool = True) -> Path | None:
    """
    Bring a database to the version that this release needs.

    A process that is killed meanwhile leaves a whole database, of the old version or of a
    newer one; run it again to finish.

    Args:
        db: the database's path; no server has it open.
        keeps_backup: whether to copy the database beside itself first.

    Returns:
        The path of the copy, or None if there was nothing to do or none was wanted.

    Raises:
        NotFound: there is no such database.
        Conflict: a server has it open.
        StorageError: it is not a hubbub database, of a version that is too new or too old, or
            it cannot be written.
    """
    plan_upgrade(db)
    held = DatabaseFile(db)
    try:
        plan = plan_upgrade(db)
        copy = None
        if plan.migrations and keeps_backup:
            copy = _free_name(Path(db), plan.version)
            backup(db, copy)
        if plan.migrations:
            open_writer(held.path, db).close()
    finally:
        held.release()
    return copy


@contextmanager
def open_as_it_is(db: str | Path) -> Iterator[SQLiteStore]:
    """
    Open a database to read it; one of an older version stays of that version.

    To open a backup from before an upgrade must not make it useless for going back. So what
    is opened then is a copy beside it, which is migrated and removed again.

    Args:
        db: the database's path; no server has it open, unless its version is older.

    Raises:
        NotFound: there is no such database.
        Conflict: a server has it open.
        StorageError: it is not a hubbub database, of a version that is too new or too old, or
            it cannot be read.
    """
    if not plan_upgrade(db).migrations:
        with closing(SQLiteStore(db)) as store:
            yield store
        return
    with TemporaryDirectory(prefix=".hubbub-", dir=Path(db).parent) as directory:
        copy = Path(directory) / Path(db).name
        backup(db, copy)
        with closing(apsw.Connection(str(copy))) as database:
            # The operator's own database is not migrated, so the log does not say so.
            migrate(database, int(database.pragma("user_version")), log_level=logging.DEBUG)
        with closing(SQLiteStore(copy)) as store:
            yield store


def _free_name(db: Path, version: int) -> Path:
    """Return a name beside the database that no file has: of an earlier attempt, too."""
    first = db.with_name(f"{db.name}.v{version}")
    names = (first if n == 0 else first.with_name(f"{first.name}.{n}") for n in count())
    return next(name for name in names if not name.exists())
