"""A disk that loses power, fills up and fails, under the SQLite of this process."""

from __future__ import annotations

import contextlib
import errno
import math
import os
import shutil
from dataclasses import asdict
from pathlib import Path
from random import Random
from threading import RLock
from types import TracebackType
from typing import Self

from .disk_stats import DiskCounts, DiskStats
from .fence import check_fence
from .file_image import FileImage, OpenFile
from .vfs import mount, unmount

__all__ = ["Disk"]


class Disk:
    """
    A disk under the SQLite databases in a directory, which keeps only what was synced.

    Inside of ``with``, databases below the directory are opened on it by their paths, as usual. It
    works with the threads of the program, in real files, which it never syncs. It sees what SQLite
    does; files that the program itself writes there are as safe as ever.

    It keeps two promises of real disks, on which SQLite builds: a sector of 512 bytes is written as
    a whole or not at all, and a write changes no byte beside it.

    Args:
        random: draws what a power loss keeps, and which calls fail.
        directory: an existing directory; no other disk is in it.
    """

    def __init__(self, random: Random, directory: str | Path) -> None:
        self.directory = os.path.realpath(directory)
        self._random = random
        self._lock = RLock()
        self._counts = DiskCounts()
        # Files by their paths: as programs see them, and those whose names were synced.
        self._seen: dict[str, FileImage] = {}
        self._named: dict[str, FileImage] = {}
        # The files after the power loss; None is a file that is gone.
        self._left: dict[str, bytes | None] = {}
        self.has_power = True
        # Which files are open since the last power loss, and which are of before.
        self._life = 0
        self._steps_left = math.inf
        self._tears = False
        self._room = math.inf
        self._failing = 0.0

    def __enter__(self) -> Self:
        mount(self.directory, self)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        unmount(self.directory)

    @property
    def stats(self) -> DiskStats:
        """The counts so far."""
        return DiskStats(**asdict(self._counts))

    def lose_power(self, *, after: int = 0) -> None:
        """
        Lose power: from now on every call fails, until ``restore``.

        Args:
            after: how many more writes, syncs and deletions succeed before.
        """
        with self._lock:
            self._steps_left = after
            if after == 0 and self.has_power:
                self._go_dark()

    def tear(self) -> None:
        """Lose power in the middle of the next write: only its first sectors reach the disk."""
        self._tears = True

    def restore(self) -> None:
        """
        Let there be power again; the files are as the power loss has left them.

        Every file is a new one, so no lock of a program from before holds, and a file or a
        connection that was open before stays useless.

        Raises:
            RuntimeError: it has power.
        """
        with self._lock:
            if self.has_power:
                raise RuntimeError("The disk has power; call lose_power() first.")
            for path in self._beside():
                if path.endswith("-shm"):
                    # It is memory, which no file keeps.
                    os.unlink(path)
                else:
                    _replace(path, Path(path).read_bytes())
            for path, content in self._left.items():
                _replace(path, content)
            kept = {path: FileImage(left) for path, left in self._left.items() if left is not None}
            self._seen, self._named, self._left = kept, dict(kept), {}
            self.has_power, self._tears, self._steps_left = True, False, math.inf
            self._life += 1

    def fill(self, room: int = 0) -> None:
        """
        Let it be full: writes that make a file longer fail.

        Args:
            room: how many bytes it still takes before.
        """
        self._room = room

    def free(self) -> None:
        """Let there be room again."""
        self._room = math.inf

    def fail(self, chance: float) -> None:
        """
        Let calls fail from now on.

        A sync that fails also loses some of the writes for good, as on Linux.

        Args:
            chance: how often, from 0 to 1, a read, a write or a sync fails.
        """
        self._failing = chance

    def open_file(self, path: str) -> OpenFile:
        """Open a file, for SQLite."""
        check_fence()
        with self._lock:
            self._check_power(self._life)
            if (image := self._seen.get(path)) is None:
                image = self._seen[path] = FileImage(_content(path))
                if image.size:
                    # Its name is as old as its contents; an empty file is new.
                    self._named[path] = image
            return OpenFile(path, image, self._life)

    def delete_file(self, path: str, *, directory: bool) -> None:
        """Delete a file, for SQLite."""
        check_fence()
        with self._lock:
            self._step(self._life)
            self._seen.pop(path, None)
            if directory:
                self._sync_names(path)

    def check_file(self, file: OpenFile) -> None:
        """Check that a file can still be used, for SQLite."""
        self._check_power(file.life)

    def read_file(self, file: OpenFile) -> None:
        """Check whether a file can be read, for SQLite."""
        self._check_power(file.life)
        with self._lock:
            self._may_fail()

    def write_file(self, file: OpenFile, data: bytes, offset: int) -> None:
        """Write to a file, for SQLite."""
        with self._lock:
            self._step(file.life)
            self._may_fail()
            self._take_room(offset + len(data) - file.image.size)
            file.image.write(data, offset)
            self._counts.writes += 1
            if self._tears:
                file.image.tear(self._random)
                self._counts.writes_torn += 1
                self._go_dark()
                self._check_power(file.life)

    def truncate_file(self, file: OpenFile, size: int) -> None:
        """Cut a file off, for SQLite."""
        with self._lock:
            self._step(file.life)
            self._may_fail()
            file.image.truncate(size)

    def sync_file(self, file: OpenFile, *, directory: bool) -> None:
        """Sync a file, and perhaps its directory, for SQLite."""
        with self._lock:
            self._step(file.life)
            try:
                self._may_fail()
            except OSError:
                file.image.fail_to_sync(self._random)
                raise
            file.image.sync()
            self._counts.syncs += 1
            if directory:
                self._sync_names(file.path)

    def _check_power(self, life: int) -> None:
        if not self.has_power or life != self._life:
            raise OSError(errno.EIO, "The power is gone; call restore() and open it again.")

    def _step(self, life: int) -> None:
        self._check_power(life)
        if self._steps_left <= 0:
            self._go_dark()
            self._check_power(life)
        self._steps_left -= 1

    def _may_fail(self) -> None:
        if self._failing and self._random.random() < self._failing:
            self._counts.failures += 1
            raise OSError(errno.EIO, "The disk failed by chance.")

    def _take_room(self, growth: int) -> None:
        if growth <= 0:
            return
        if growth > self._room:
            self._counts.refused_full += 1
            raise OSError(errno.ENOSPC, "The disk is full; call free().")
        self._room -= growth

    def _sync_names(self, path: str) -> None:
        directory = os.path.dirname(path)
        others = {p: i for p, i in self._named.items() if os.path.dirname(p) != directory}
        here = {p: i for p, i in self._seen.items() if os.path.dirname(p) == directory}
        self._named = {**others, **here}

    def _go_dark(self) -> None:
        """Lose power, and draw what is left."""
        self.has_power = False
        self._counts.power_losses += 1
        # Some disks keep nothing that was not synced, some keep almost all of it.
        kept = self._random.choice((0.0, 0.5, 1.0, self._random.random()))
        for path in sorted({*self._seen, *self._named}):
            image, named = self._seen.get(path), self._named.get(path)
            if image is not named and self._random.random() >= kept:
                self._counts.names_lost += 1
                image = named
            self._left[path] = None if image is None else self._rest_of(image, kept)

    def _rest_of(self, image: FileImage, kept: float) -> bytes:
        content, dropped, torn = image.after_power_loss(self._random, kept)
        self._counts.writes_dropped += dropped
        self._counts.writes_torn += torn
        return content

    def _beside(self) -> list[str]:
        """Return the files beside those of the disk, like their locks."""
        files = [Path(path) for path in self._left]
        found = {
            str(other)
            for file in files
            for other in file.parent.iterdir()
            if other.name.startswith(file.name)
        }
        return sorted(found - self._left.keys())


def _content(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except FileNotFoundError:
        return b""


def _replace(path: str, content: bytes | None) -> None:
    """Put a new file in the place of one; the old one stays open where it is open."""
    if content is None:
        Path(path).unlink(missing_ok=True)
        return
    new = Path(f"{path}.restored")
    new.write_bytes(content)
    with contextlib.suppress(FileNotFoundError):
        shutil.copymode(path, new)
    os.replace(new, path)
