"""
Copies of a SQLite database: made while a server uses it, and restored in its place.

A copy is of one moment. It is written beside its place, under a name of its own, brought to
the disk, and only then given its name: a process that is killed in between leaves what was
there.
A database that is put back is another journal: it has a new ``journal_id``, so a client that
has seen more than is in it learns that, and does not follow another history.
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

# Its owner's alone: the key that signs tokens is in it.
MODE = 0o600
BUSY_MS = 10_000
# What SQLite keeps beside a file, and would take for a part of another of that name.
BESIDE = ("-wal", "-shm", "-journal")


def backup(db: str | Path, copy: str | Path, *, force: bool = False) -> None:
    """
    Copy a database as it is at one moment; a server may go on using it.

    Args:
        db: the database's path.
        copy: the copy's path; only its owner can read it.
        force: whether to replace what is there.

    Raises:
        NotFound: there is no such database.
        Conflict: there is something at the copy's path, or another backup is writing it.
        Invalid: they are one file.
        StorageError: it is not a hubbub database, or it cannot be copied.
    """
    source, target = _real(db), _real(copy)
    _check_paths(source, target, force=force)
    # A copy has no lock beside it, and a database that was ever served has one.
    served = Path(f"{target}.lock").exists()
    with _held(target) if served else nullcontext(), _failing(source), _partial(target) as partial:
        _copy(source, partial)
        _publish(partial, target, force=force)


def restore(copy: str | Path, db: str | Path, *, force: bool = False) -> None:
    """
    Make a database of a copy, with a ``journal_id`` of its own.

    Users stay signed in, for the key that signs their tokens is the copy's.

    Args:
        copy: the path of what ``backup`` has made.
        db: the database's path; no server has it open.
        force: whether to replace what is there.

    Raises:
        NotFound: there is no such copy.
        Conflict: the database is open, or there is one and it is not to be replaced.
        Invalid: they are one file.
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
        raise Invalid(f"{source} and {target} are one file; take another name for one of them.")
    if target.exists() and not force:
        raise Conflict(f"There is a file {target}; use another name, or --force to replace it.")


def _copy(source: Path, target: Path) -> None:
    with closing(_opened(source)) as old, closing(apsw.Connection(str(target))) as new:
        # There is no need to keep a half-made copy whole: it has no name yet.
        new.pragma("journal_mode", "off")
        new.pragma("synchronous", "off")
        with new.backup("main", old, "main") as work:
            # In one go, for a copy in several begins again whenever somebody writes.
            while not work.done:
                work.step(-1)
        # Of one file, so it can be moved.
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
            raise StorageError(f"The copy is damaged: {found}. Take an older one.")
        change = "UPDATE meta SET value = ? WHERE name = 'journal_id'"
        database.execute(change, (secrets.token_hex(16),))


@contextmanager
def _partial(target: Path) -> Iterator[Path]:
    """Give an empty file to write to, beside its place; the one that is left is used again."""
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
        # Another backup may have given it its name before it was locked here.
        if not os.path.samestat(os.fstat(descriptor), partial.stat()):
            raise BlockingIOError
    except (BlockingIOError, FileNotFoundError) as error:
        raise Conflict(f"{partial} is being written; wait until that is done.") from error


@contextmanager
def _held(db: Path) -> Iterator[None]:
    """Hold a database, so that no server opens it."""
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
    """Bring a file to the disk, and give it its name."""
    with partial.open("rb+") as written:
        os.fsync(written.fileno())
    if force:
        if target.exists():
            _put_log_in(target)
        # What is left there would be taken for a part of the new one.
        _remove_beside(target)
        os.replace(partial, target)
    else:
        try:
            os.link(partial, target)
        except FileExistsError as error:
            raise Conflict(f"There is a file {target} by now; use another name.") from error
        except OSError:
            # A file system without hard links; nearly as good.
            if target.exists():
                raise
            partial.rename(target)
    _sync_directory(target.parent)


def _put_log_in(target: Path) -> None:
    """Have all of a database in its file, so that it is whole until it is replaced."""
    # What is damaged, or no database, is replaced as it is.
    with suppress(apsw.Error), closing(apsw.Connection(str(target))) as database:
        database.pragma("journal_mode", "delete")


def _remove_beside(path: Path) -> None:
    for suffix in BESIDE:
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def _sync_directory(path: Path) -> None:
    # Where a directory cannot be opened, its file system keeps names by itself.
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
