"""
Writes a database under a temporary name, and gives it its own name only when it is complete.

A new file is written beside its path, synced to the disk, and only then renamed: a process that
is killed in between leaves the old file, or none.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import apsw
from filelock import FileLock, Timeout

from ..errors import Conflict, Invalid, NotFound

if sys.platform != "win32":
    import fcntl

__all__ = ["check_paths", "held", "partial_file", "publish_file", "real_path"]

# Only the owner can read it: it contains the key that signs tokens.
MODE = 0o600
# Files that SQLite keeps beside a database, and would take for a part of a new one.
BESIDE = ("-wal", "-shm", "-journal")


def real_path(path: str | Path) -> Path:
    """Return a path without links."""
    return Path(os.path.realpath(path))


def check_paths(source: Path, target: Path, *, force: bool) -> None:
    """
    Return if a database can be written from another.

    Args:
        source: the file to read.
        target: the file to write.
        force: whether to replace an existing file.

    Raises:
        NotFound: the source does not exist.
        Invalid: both paths are the same file.
        Conflict: the target exists, and ``force`` is False.
    """
    if not source.is_file() or not source.stat().st_size:
        raise NotFound(f"There is no database {source}.")
    if target.exists() and os.path.samefile(source, target):
        raise Invalid(f"{source} and {target} are the same file; use another name for one of them.")
    if target.exists() and not force:
        raise Conflict(f"{target} exists already; use another name, or --force to replace it.")


@contextmanager
def partial_file(target: Path) -> Iterator[Path]:
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
def held(db: Path) -> Iterator[None]:
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


def publish_file(partial: Path, target: Path, *, force: bool) -> None:
    """
    Sync a file to the disk, and rename it to its target.

    Args:
        partial: the complete file.
        target: its name from now on.
        force: whether to replace an existing file.

    Raises:
        Conflict: the target exists, and ``force`` is False.
    """
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
