"""The file of a database: locked by one process, readable by one user, and watched."""

from __future__ import annotations

import logging
import os
import stat
import sys
import threading
from pathlib import Path
from typing import NamedTuple

from filelock import FileLock, Timeout

from ...errors import Conflict, StorageError

if sys.platform != "win32":
    import fcntl

__all__ = ["DatabaseFile"]

logger = logging.getLogger("hubbub.journal")

# Only the owner can read it: it contains the key that signs tokens.
MODE = 0o600


class _Seen(NamedTuple):
    """The identity of a file, and its length."""

    device: int
    inode: int
    size: int


class DatabaseFile:
    """
    Locks a database for as long as it is open.

    It takes two locks: a file beside the database, by its real path, and the file itself by its
    identity, because a hard link is another path. It takes them before SQLite opens the file, and
    closes the file after SQLite has closed it: closing a file releases all locks that SQLite has on
    it, whichever descriptor holds them.

    Args:
        path: the database; it is created if necessary.

    Raises:
        Conflict: the database is already open.
        StorageError: the database cannot be opened, or its directory does not exist.
    """

    # Files that this process has locked: a process's own lock does not refuse it.
    _held: set[tuple[int, int]] = set()
    _holding = threading.Lock()

    def __init__(self, path: str | Path) -> None:
        self.path = Path(os.path.realpath(path))
        # The operator's name for it, for messages.
        self._name = os.fspath(path)
        self._lock = FileLock(f"{self.path}.lock", timeout=0, thread_local=False, mode=MODE)
        self._descriptor: int | None = None
        self._identity: tuple[int, int] | None = None
        self._watched: dict[str, _Seen] = {}
        # The lock would make the directory: a misspelt path would become an empty database.
        if not self.path.parent.is_dir():
            raise StorageError(
                f"The database {self._name} cannot be opened: there is no directory "
                f"{self.path.parent}. Create it, or use another path."
            )
        try:
            self._lock.acquire()
        except Timeout as error:
            raise self._conflict() from error
        except OSError as error:
            raise self._cannot_open(error) from error
        try:
            self._hold()
        except BaseException:
            self.release()
            raise

    def make_private(self) -> None:
        """Restrict the permissions that an earlier version has given to other users."""
        for path in self._files():
            try:
                mode = stat.S_IMODE(os.stat(path).st_mode)
                if mode & ~MODE:
                    os.chmod(path, MODE)
            except FileNotFoundError:
                continue
            except OSError as error:
                logger.warning("%s can be read by other users: %s", path, error)

    def watch(self) -> None:
        """Remember the identity of the files, from now on."""
        self._watched = {
            path: seen
            for path in (str(self.path), f"{self.path}-wal")
            if (seen := _look(path)) is not None
        }

    def check(self) -> None:
        """
        Return if the files are still the opened ones; it takes a few microseconds.

        Raises:
            StorageError: the file was deleted or replaced, so writes are lost.
        """
        for path, before in self._watched.items():
            now = _look(path)
            if now is None or now[:2] != before[:2] or now.size < before.size:
                what = "deleted" if now is None else "replaced or cut off"
                error = StorageError(
                    f"The database's file was {what} while it was in use: everything written now "
                    "is lost. Stop the server, restore the file, and start the server again."
                )
                error.add_note(f"{path} was {what}")
                raise error
            if now.size != before.size:
                self._watched[path] = now

    def release(self) -> None:
        """Release the locks."""
        if self._identity is not None:
            with self._holding:
                self._held.discard(self._identity)
            self._identity = None
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
        self._lock.release()

    def _hold(self) -> None:
        try:
            with self._holding:
                self._open()
        except BlockingIOError as error:
            raise self._conflict() from error
        except OSError as error:
            raise self._cannot_open(error) from error

    def _open(self) -> None:
        # Check before opening it: closing it again would release SQLite's locks, see above.
        if (seen := _look(str(self.path))) is not None and seen[:2] in self._held:
            raise self._conflict()
        self._descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, MODE)
        if sys.platform != "win32":
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        opened = os.fstat(self._descriptor)
        self._identity = (opened.st_dev, opened.st_ino)
        self._held.add(self._identity)

    def _files(self) -> list[str]:
        return [f"{self.path}{suffix}" for suffix in ("", "-wal", "-shm", ".lock")]

    def _conflict(self) -> Conflict:
        return Conflict(
            f"The database {self._name} is already open; close it there, or use another file."
        )

    def _cannot_open(self, error: OSError) -> StorageError:
        return StorageError(f"The database {self._name} cannot be opened: {error}.")


def _look(path: str) -> _Seen | None:
    try:
        found = os.stat(path)
    except FileNotFoundError:
        return None
    return _Seen(found.st_dev, found.st_ino, found.st_size)
