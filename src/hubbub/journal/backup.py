"""
Copies of a SQLite database: made while a server uses it, and restored in its place.

A copy has the state of one moment. A restored database is another journal: it has a new
``journal_id``, so a client that has seen more events than it contains finds out, and does not
continue with another history.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager, nullcontext
from pathlib import Path
from random import SystemRandom

import apsw

from ..errors import StorageError
from .publishing import check_paths, held, partial_file, publish_file, real_path
from .stores.contract import new_journal_id
from .stores.opening import APPLICATION_ID

__all__ = ["backup", "restore"]

BUSY_MS = 10_000


def backup(db: str | Path, copy: str | Path, *, force: bool = False) -> None:
    """
    Copy a database as it is at one moment, even while a server uses it.

    Args:
        db: the database's path.
        copy: the copy's path; only its owner can read it.
        force: whether to replace an existing file.

    Raises:
        NotFound: the database does not exist.
        Conflict: the copy's path exists, or another backup is writing it.
        Invalid: both paths are the same file.
        StorageError: it is not a hubbub database, or it cannot be copied.
    """
    source, target = real_path(db), real_path(copy)
    check_paths(source, target, force=force)
    # A copy has no lock file beside it, and a database that was ever served has one.
    served = Path(f"{target}.lock").exists()
    with (
        held(target) if served else nullcontext(),
        _failing(source),
        partial_file(target) as partial,
    ):
        _copy(source, partial)
        publish_file(partial, target, force=force)


def restore(copy: str | Path, db: str | Path, *, force: bool = False) -> None:
    """
    Restore a database from a copy, with a new ``journal_id``.

    Users stay signed in, because the key that signs their tokens is in the copy.

    Args:
        copy: the path of a file that ``backup`` has made.
        db: the database's path; no server has it open.
        force: whether to replace an existing database.

    Raises:
        NotFound: the copy does not exist.
        Conflict: the database is open, or it exists and ``force`` is False.
        Invalid: both paths are the same file.
        StorageError: the copy is damaged, or not a hubbub database.
    """
    source, target = real_path(copy), real_path(db)
    check_paths(source, target, force=force)
    with held(target), _failing(source), partial_file(target) as partial:
        check_paths(source, target, force=force)
        _copy(source, partial)
        _renew(partial)
        publish_file(partial, target, force=force)


def _copy(source: Path, target: Path) -> None:
    with closing(_opened(source)) as old, closing(apsw.Connection(str(target))) as new:
        # A half-made copy need not survive a crash: it has no name yet.
        new.pragma("journal_mode", "off")
        new.pragma("synchronous", "off")
        with new.backup("main", old, "main") as work:
            # In one step, because a copy in several starts again whenever another process writes.
            while not work.done:
                work.step(-1)
        # Make it a single file, so that you can move it.
        new.pragma("journal_mode", "delete")


def _opened(path: Path) -> apsw.Connection:
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    try:
        connection.set_busy_timeout(BUSY_MS)
        if connection.pragma("application_id") != APPLICATION_ID:
            raise StorageError(f"{path} is not a hubbub database.")
    except BaseException:
        connection.close()
        raise
    return connection


def _renew(path: Path) -> None:
    with closing(apsw.Connection(str(path))) as database:
        if (found := database.pragma("quick_check", 1)) != "ok":
            raise StorageError(f"The copy is damaged: {found}. Use an older one.")
        change = "UPDATE meta SET value = ? WHERE name = 'journal_id'"
        database.execute(change, (new_journal_id(SystemRandom()),))


@contextmanager
def _failing(path: Path) -> Iterator[None]:
    try:
        yield
    except (apsw.Error, OSError) as error:
        raise StorageError(f"{path} cannot be copied: {error}.") from error
