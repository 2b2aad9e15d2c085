"""A file as a disk holds it: the synced bytes, and the writes since then in their order."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

__all__ = ["SECTOR_BYTES", "FileImage", "OpenFile"]

# A disk writes a sector as a whole or not at all.
SECTOR_BYTES = 512
# How often a write that a power loss does not drop is torn.
TORN = 0.2

# Bytes and where they belong, or None and the length that the file is cut to.
Write = tuple[bytes | None, int]


class FileImage:
    """
    The contents of a file on a disk.

    Args:
        content: the synced bytes.
    """

    __slots__ = ("_synced", "_unsynced", "size")

    def __init__(self, content: bytes = b"") -> None:
        self._synced = bytearray(content)
        self._unsynced: list[Write] = []
        # As programs see it, which see every write.
        self.size = len(content)

    def write(self, data: bytes, offset: int) -> None:
        """Write bytes; a power loss can drop them until they are synced."""
        self._unsynced.append((data, offset))
        self.size = max(self.size, offset + len(data))

    def truncate(self, size: int) -> None:
        """Cut it off; a power loss can undo that until it is synced."""
        self._unsynced.append((None, size))
        self.size = min(self.size, size)

    def sync(self) -> None:
        """Make all writes survive a power loss."""
        for write in self._unsynced:
            _apply(self._synced, write)
        self._unsynced.clear()

    def fail_to_sync(self, random: Random) -> None:
        """
        Lose some writes for good, although programs still see them.

        So Linux does when it cannot write a page: the next sync succeeds, without that page. See
        "Can Applications Recover from fsync Failures?", USENIX ATC 2020.
        """
        self._unsynced = [write for write in self._unsynced if random.random() < 0.5]

    def after_power_loss(self, random: Random, kept: float) -> tuple[bytes, int, int]:
        """
        Draw what is left of it.

        Args:
            random: draws.
            kept: how often, from 0 to 1, an unsynced write is kept.

        Returns:
            The bytes, how many writes were dropped, and how many were torn.
        """
        image, dropped, torn = bytearray(self._synced), 0, 0
        for write in self._unsynced:
            if random.random() >= kept:
                dropped += 1
            elif random.random() < TORN and write[0] is not None and len(write[0]) > SECTOR_BYTES:
                torn += 1
                for sector in _sectors(write[0], write[1]):
                    if random.random() < 0.5:
                        _apply(image, sector)
            else:
                _apply(image, write)
        return bytes(image), dropped, torn

    def tear(self, random: Random) -> None:
        """Sync all writes but the last, of which only its first sectors reach the disk."""
        data, offset = self._unsynced.pop()
        self.sync()
        sectors = list(_sectors(data or b"", offset))
        for sector in sectors[: random.randrange(len(sectors))] if sectors else ():
            _apply(self._synced, sector)


@dataclass(frozen=True, slots=True)
class OpenFile:
    """
    A file that a program has open.

    Args:
        path: its name.
        image: its contents.
        life: how often the disk had lost power when it was opened.
    """

    path: str
    image: FileImage
    life: int


def _apply(image: bytearray, write: Write) -> None:
    data, offset = write
    if data is None:
        del image[offset:]
        return
    if (gap := offset + len(data) - len(image)) > 0:
        image.extend(bytes(gap))
    image[offset : offset + len(data)] = data


def _sectors(data: bytes, offset: int) -> list[tuple[bytes, int]]:
    first = SECTOR_BYTES - offset % SECTOR_BYTES
    starts = [0, *range(first, len(data), SECTOR_BYTES)]
    return [
        (data[start:end], offset + start)
        for start, end in zip(starts, [*starts[1:], len(data)], strict=True)
    ]
