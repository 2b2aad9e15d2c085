"""
Reads the pages of a SQLite file without SQLite, which stops at the first damaged page.

The format is that of https://sqlite.org/fileformat2.html: the file is an array of pages, and the
committed frames of the log beside it replace some of them.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

__all__ = ["HEADER_BYTES", "PageSource", "open_pages"]

MAGIC = b"SQLite format 3\0"
# The header of the file, on its first page.
HEADER_BYTES = 100
# The size that SQLite chooses, and Hubbub never changes: for a file with a damaged header.
PAGE_BYTES = 4096
PAGE_SIZES = {512 << power for power in range(8)}

LOG_HEADER = struct.Struct(">8I")
FRAME_HEADER = struct.Struct(">6I")
LOG_MAGIC = 0x377F0682


class PageSource:
    """
    The pages of a database, by their numbers from 1.

    Args:
        data: the file.
        page_bytes: the size of a page.
        log: the pages that the log has newer versions of.
    """

    def __init__(self, data: bytes | mmap.mmap, page_bytes: int, log: dict[int, bytes]) -> None:
        self._data = data
        self._log = log
        self.page_bytes = page_bytes
        # A file that was cut short ends within a page: its rest cannot be read.
        self.count = max(len(data) // page_bytes, *log, 0)

    def page(self, number: int) -> bytes:
        """Return a page; an empty one if there is none of this number."""
        if (newer := self._log.get(number)) is not None:
            return newer
        begin = (number - 1) * self.page_bytes
        page = self._data[begin : begin + self.page_bytes] if number >= 1 else b""
        return page if len(page) == self.page_bytes else b""


@contextmanager
def open_pages(path: Path) -> Iterator[PageSource]:
    """
    Open a database, whatever is wrong with it; it is only read.

    Args:
        path: the file; nobody writes to it meanwhile. The log beside it is read as well.
    """
    log = path.with_name(f"{path.name}-wal")
    with path.open("rb") as file:
        if not path.stat().st_size:
            yield PageSource(b"", PAGE_BYTES, {})
            return
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            page_bytes = _page_bytes(data[:HEADER_BYTES])
            frames = log.read_bytes() if log.exists() else b""
            yield PageSource(data, page_bytes, _newer_pages(frames, page_bytes))


def _page_bytes(header: bytes) -> int:
    if len(header) == HEADER_BYTES and header.startswith(MAGIC):
        size = int.from_bytes(header[16:18], "big")
        # Two bytes are too few for the largest.
        size = 65536 if size == 1 else size
        if size in PAGE_SIZES:
            return size
    return PAGE_BYTES


class _Sums(NamedTuple):
    """The checksum of a log up to some frame."""

    first: int
    second: int

    def of(self, data: bytes, order: str) -> _Sums:
        """Continue it over some more bytes."""
        first, second = self
        words = struct.unpack(f"{order}{len(data) // 4}I", data)
        for even, odd in zip(words[::2], words[1::2], strict=True):
            first = (first + even + second) & 0xFFFFFFFF
            second = (second + odd + first) & 0xFFFFFFFF
        return _Sums(first, second)


def _newer_pages(log: bytes, page_bytes: int) -> dict[int, bytes]:
    """Return the pages of all committed transactions before the first damaged frame."""
    if len(log) < LOG_HEADER.size:
        return {}
    magic, _, size, _, salt, pepper, *written = LOG_HEADER.unpack_from(log)
    if magic & ~1 != LOG_MAGIC or size != page_bytes:
        return {}
    order = ">" if magic & 1 else "<"
    sums = _Sums(0, 0).of(log[: LOG_HEADER.size - 8], order)
    if tuple(written) != sums:
        return {}
    committed, pending = dict[int, bytes](), dict[int, bytes]()
    for begin in range(LOG_HEADER.size, len(log), FRAME_HEADER.size + page_bytes):
        frame = log[begin : begin + FRAME_HEADER.size + page_bytes]
        if len(frame) < FRAME_HEADER.size + page_bytes:
            break
        number, commits, *salts_and_sums = FRAME_HEADER.unpack_from(frame)
        page = frame[FRAME_HEADER.size :]
        sums = sums.of(frame[:8], order).of(page, order)
        if salts_and_sums != [salt, pepper, *sums]:
            break
        pending[number] = page
        if commits:
            committed |= pending
            pending = {}
    return committed
