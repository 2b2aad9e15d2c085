"""
Copies of a SQLite database: made while a server uses it, and restored in its place.

A copy has the state of one moment. It is written under a temporary name beside its path, synced
to the disk, and only then renamed: a process that is killed in between leaves the old file.
A restored database is another journal: it has a new ``journal_id``, so a client that has
seen more events than it contains finds out, and does not continue with another history.
"""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager, nullcontext, suppress
from pathlib import Path

import apsw
from filelock import FileLock, Timeout

from ..errors import Conflict, Invalid, NotFound, StorageError
from .stores.opening import APPLICATION_ID

if sys.platform != "win32":
    import fcntl

__all__ = ["backup", "restore"]

# Only the owner can read it: it contains the key that signs tokens.
MODE = 0o600
BUSY_MS = 10_000
# Files that SQLite keeps beside a database, and would take for a part of a new one.
BESIDE = ("-wal", "-shm", "-journal")


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
    source, target = _real(db), _real(copy)
    _check_paths(source, target, force=force)
    # A copy has no lock file beside it, and a database that was ever served has one.
    served = Path(f"{target}.lock").exists()
    with _held(target) if served else nullcontext(), _failing(source), _partial(target) as partial:
        _copy(source, partial)
        _publish(partial, target, force=force)


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
    source, target = _real(copy), _real(db)
    _check_paths(source, target, force=force)
    with _held(target), _failing(source), _partial(target) as partial:
        _check_paths(source, target, force=force)
        _copy(source, partial)
        _renew(partial)
        _publish(partial, target, force=force)


def _real(path: str | Path) -> Path:
    return Path(os.path.realpath(path))


def _check_paths(source: Path, target: Path, *, force: bool) -> None:
    if not source.is_file() or not source.stat().st_size:
        raise NotFound(f"There is no database {source}.")
    if target.exists() and os.path.samefile(source, target):
        raise Invalid(f"{source} and {target} are the same file; use another name for one of them.")
    if target.exists() and not force:
        raise Conflict(f"{target} exists already; use another name, or --force to replace it.")


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
        database.execute(change, (secrets.token_hex(16),))


@contextmanager
def _partial(target: Path) -> Iterator[Path]:
    """Yield an empty file beside the target; reuse one that an earlier process has left."""
    partial = target.with_name(f"{target.name}.partial")
    descriptor = os.open(partial, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, MODE)
    try:
        _claim(descriptor, partial)
        os.ftruncate(descriptor, 0)
        os.chmod(partial, MODE)
        _remove_beside(partial)
        try:
            yield partial
        finally:
            partial.unlink(missing_ok=True)
            _remove_beside(partial)
    finally:
        os.close(descriptor)


def _claim(descriptor: int, partial: Path) -> None:
    try:
        if sys.platform != "win32":
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Another backup may have renamed it before it was locked here.
        if not os.path.samestat(os.fstat(descriptor), partial.stat()):
            raise BlockingIOError
    except (BlockingIOError, FileNotFoundError) as error:
        raise Conflict(f"{partial} is being written; wait until that is done.") from error


@contextmanager
def _held(db: Path) -> Iterator[None]:
    """Lock a database, so that no server opens it."""
    lock = FileLock(f"{db}.lock", timeout=0, thread_local=False, mode=MODE)
    try:
        lock.acquire()
    except Timeout as error:
        raise Conflict(f"The database {db} is open; stop the server first.") from error
    try:
        yield
    finally:
        lock.release()


def _publish(partial: Path, target: Path, *, force: bool) -> None:
    """Sync a file to the disk, and rename it to its target."""
    with partial.open("rb+") as written:
        os.fsync(written.fileno())
    if force:
        if target.exists():
            _put_log_in(target)
        # SQLite would take these files for a part of the new database.
        _remove_beside(target)
        os.replace(partial, target)
    else:
        try:
            os.link(partial, target)
        except FileExistsError as error:
            raise Conflict(f"{target} has just been created; use another name.") from error
        except OSError:
            # A file system without hard links; nearly as good.
            if target.exists():
                raise
            partial.rename(target)
    _sync_directory(target.parent)


def _put_log_in(target: Path) -> None:
    """Move the whole database into its main file, so that it is complete until replaced."""
    # A damaged file, or another kind of file, is replaced unchanged.
    with suppress(apsw.Error), closing(apsw.Connection(str(target))) as database:
        database.pragma("journal_mode", "delete")


def _remove_beside(path: Path) -> None:
    for suffix in BESIDE:
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def _sync_directory(path: Path) -> None:
    # If a directory cannot be opened, its file system syncs names by itself.
    with suppress(PermissionError):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


@contextmanager
def _failing(path: Path) -> Iterator[None]:
    try:
        yield
    except (apsw.Error, OSError) as error:
        raise StorageError(f"{path} cannot be copied: {error}.") from error
