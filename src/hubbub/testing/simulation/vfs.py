"""
SQLite's way to the simulated disks: a VFS that becomes the default while there are any.

A database of a disk is opened by its path, as usual; all other databases of the process are opened
by SQLite's own VFS. See https://sqlite.org/vfs.html.
"""

from __future__ import annotations

import errno
import os
from typing import Protocol

import apsw

from .file_image import OpenFile

__all__ = ["Mounted", "mount", "unmount"]

NAME = "simulated-disk"
BASE = "unix"
# Creating such a file, SQLite syncs its directory when it syncs the file for the first time.
JOURNALS = apsw.SQLITE_OPEN_MAIN_JOURNAL | apsw.SQLITE_OPEN_SUPER_JOURNAL | apsw.SQLITE_OPEN_WAL


class Mounted(Protocol):
    """A disk; each method raises OSError if it cannot do it."""

    def open_file(self, path: str) -> OpenFile:
        """Open a file."""

    def check_file(self, file: OpenFile) -> None:
        """Check that a file can still be used."""

    def read_file(self, file: OpenFile) -> None:
        """Note that a file is read."""

    def write_file(self, file: OpenFile, data: bytes, offset: int) -> None:
        """Note a write."""

    def truncate_file(self, file: OpenFile, size: int) -> None:
        """Note that a file is cut off."""

    def sync_file(self, file: OpenFile, *, directory: bool) -> None:
        """Note that a file is synced, and perhaps its directory."""

    def delete_file(self, path: str, *, directory: bool) -> None:
        """Note that a file is deleted, and perhaps its directory synced."""


class _DiskFile(apsw.VFSFile):
    def __init__(self, disk: Mounted, name: str | apsw.URIFilename, flags: list[int]) -> None:
        self._disk = disk
        with _as_sqlite_errors:
            self._file = disk.open_file(_path_of(name))
        self._directory = bool(flags[0] & apsw.SQLITE_OPEN_CREATE and flags[0] & JOURNALS)
        super().__init__(BASE, name, flags)

    def xLock(self, level: int) -> None:  # noqa: N802  (SQLite's name)
        # A connection from before a power loss that got its locks could delete files by name.
        with _as_sqlite_errors:
            self._disk.check_file(self._file)
        super().xLock(level)

    def xFileSize(self) -> int:  # noqa: N802
        with _as_sqlite_errors:
            self._disk.check_file(self._file)
        return super().xFileSize()

    def xRead(self, amount: int, offset: int) -> bytes:  # noqa: N802
        with _as_sqlite_errors:
            self._disk.read_file(self._file)
        return super().xRead(amount, offset)

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802
        with _as_sqlite_errors:
            self._disk.write_file(self._file, bytes(data), offset)
        super().xWrite(data, offset)

    def xTruncate(self, newsize: int) -> None:  # noqa: N802
        with _as_sqlite_errors:
            self._disk.truncate_file(self._file, newsize)
        super().xTruncate(newsize)

    def xSync(self, flags: int) -> None:  # noqa: N802
        # The real file is not synced: that is slow, and only the simulated disk loses power.
        with _as_sqlite_errors:
            self._disk.sync_file(self._file, directory=self._directory)
        self._directory = False


class _DiskVFS(apsw.VFS):
    def __init__(self) -> None:
        self.mounted: dict[str, Mounted] = {}
        super().__init__(NAME, BASE)

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> apsw.VFSFile:  # noqa: N802
        if name is not None and (disk := self._disk_of(_path_of(name))) is not None:
            return _DiskFile(disk, name, flags)
        return apsw.VFSFile(BASE, name, flags)

    def xDelete(self, filename: str, syncdir: bool) -> None:  # noqa: N802
        if (disk := self._disk_of(filename)) is not None:
            with _as_sqlite_errors:
                disk.delete_file(filename, directory=syncdir)
            syncdir = False
        super().xDelete(filename, syncdir)

    def _disk_of(self, path: str) -> Mounted | None:
        for directory, disk in self.mounted.items():
            if path.startswith(directory):
                return disk
        return None


# It is never unregistered, only no longer the default: a connection might still use it.
_registered: list[_DiskVFS] = []
_default_before: list[str] = []


def mount(directory: str, disk: Mounted) -> None:
    """
    Open databases below a directory on a disk.

    Raises:
        ValueError: another disk is there.
    """
    if not _registered:
        _registered.append(_DiskVFS())
    mounted, place = _registered[0].mounted, os.path.join(directory, "")
    if any(place.startswith(other) or other.startswith(place) for other in mounted):
        raise ValueError(f"Another simulated disk is at {directory}; give each its own directory.")
    if not mounted:
        _default_before.append(apsw.vfs_names()[0])
        apsw.set_default_vfs(NAME)
    mounted[place] = disk


def unmount(directory: str) -> None:
    """Open databases below a directory as usual again."""
    mounted = _registered[0].mounted
    del mounted[os.path.join(directory, "")]
    if not mounted:
        apsw.set_default_vfs(_default_before.pop())


def _path_of(name: str | apsw.URIFilename) -> str:
    return name.filename() if isinstance(name, apsw.URIFilename) else name


class _AsSQLiteErrors:
    """Raises an OSError as SQLite's error; a generator would cost more than the rest."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, OSError):
            if error.errno == errno.ENOSPC:
                raise apsw.FullError(str(error)) from error
            raise apsw.IOError(str(error)) from error


_as_sqlite_errors = _AsSQLiteErrors()
