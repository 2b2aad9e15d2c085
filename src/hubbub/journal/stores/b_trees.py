"""
Decodes the rows of a SQLite file's b-trees, page by page, past pages that are damaged.

A table is a tree of pages, and each page leads to others. The pages below a damaged page are still
in the file, and the form of their rows shows the table that they belong to. SQLite's own recovery
works in the same way (https://sqlite.org/recovery.html), but is no part of the library that Python
programs use. An entry of a page is an element of its array of pointers.
"""

from __future__ import annotations

import struct
from bisect import bisect_left
from collections.abc import Iterator
from typing import NamedTuple

from .pages import HEADER_BYTES, PageSource

__all__ = ["BTrees", "Damaged", "Row", "Value"]

Value = int | float | str | bytes | None
# The values of a row; in a table with rowids, the rowid comes before the first column.
Row = tuple[Value, ...]

INDEX_INTERIOR, TABLE_INTERIOR, INDEX_LEAF, TABLE_LEAF = 2, 5, 10, 13
KINDS = {INDEX_INTERIOR, TABLE_INTERIOR, INDEX_LEAF, TABLE_LEAF}
INTERIOR = {INDEX_INTERIOR, TABLE_INTERIOR}
# Bytes of the integers of serial types 1 to 6.
INTEGER_BYTES = (0, 1, 2, 3, 4, 6, 8)
ROWID_MIN, ROWID_MAX = -(1 << 63), (1 << 63) - 1
FLOAT, ZERO, ONE, BLOB = 7, 8, 9, 12


class _Subtree(NamedTuple):
    """A page of a tree; the rowids in it and below are after one, up to the last."""

    page: int
    after: int
    last: int


class Damaged(Exception):
    """These bytes are not what SQLite writes."""


class BTrees:
    """
    The b-trees of a database.

    Args:
        pages: its pages.
    """

    def __init__(self, pages: PageSource) -> None:
        self._pages = pages
        self._usable = pages.page_bytes
        # The pages that could not be decoded so far.
        self.damaged: set[int] = set()

    def walk(self, root: int) -> Iterator[Row]:
        """Yield the rows of a tree that can be reached from its root, in their order."""
        waiting, seen = [_Subtree(root, ROWID_MIN, ROWID_MAX)], set[int]()
        while waiting:
            tree = waiting.pop()
            if tree.page in seen:
                # A page has one parent: this pointer is damaged.
                self.damaged.add(tree.page)
                continue
            seen.add(tree.page)
            try:
                waiting += reversed(self._children(tree))
            except (Damaged, IndexError):
                self.damaged.add(tree.page)
                continue
            for row in self._rows(tree.page):
                # The page's parent says between which rowids its rows are.
                if isinstance(row[0], int) and not tree.after < row[0] <= tree.last:
                    self.damaged.add(tree.page)
                else:
                    yield row

    def stray(self) -> Iterator[Row]:
        """Yield the rows of all pages that are in use, whatever leads to them."""
        free = self._free_pages()
        for number in range(1, self._pages.count + 1):
            if number not in free:
                yield from self._rows(number)

    def _children(self, tree: _Subtree) -> list[_Subtree]:
        kind, entries, page = self._entries(tree.page)
        if kind not in INTERIOR:
            return []
        begin = HEADER_BYTES if tree.page == 1 else 0
        children, after = list[_Subtree](), tree.after
        for entry in entries:
            child = int.from_bytes(page[entry : entry + 4], "big")
            last = _signed(_varint(page, entry + 4)[0]) if kind == TABLE_INTERIOR else ROWID_MAX
            children.append(_Subtree(child, after, last))
            after = last if kind == TABLE_INTERIOR else after
        child = int.from_bytes(page[begin + 8 : begin + 12], "big")
        return [*children, _Subtree(child, after, tree.last)]

    def _entries(self, number: int) -> tuple[int, list[int], bytes]:
        """Return the kind of a page, and where its entries begin."""
        page = self._pages.page(number)
        begin = HEADER_BYTES if number == 1 else 0
        if len(page) <= begin + 12 or page[begin] not in KINDS:
            raise Damaged
        kind, count = page[begin], int.from_bytes(page[begin + 3 : begin + 5], "big")
        array = begin + (12 if kind in INTERIOR else 8)
        if array + 2 * count > len(page):
            raise Damaged
        return kind, list(struct.unpack_from(f">{count}H", page, array)), page

    def _rows(self, number: int) -> Iterator[Row]:
        try:
            kind, entries, page = self._entries(number)
        except Damaged:
            return
        if kind == TABLE_INTERIOR:
            return
        rows = list[Row]()
        for entry in entries:
            try:
                rows.append(self._row(kind, page, entry))
            except (Damaged, IndexError, struct.error, UnicodeDecodeError):
                # The other entries of the page may be sound.
                self.damaged.add(number)
        if kind == TABLE_LEAF and len(ascending := _ascending(rows)) < len(rows):
            self.damaged.add(number)
            rows = ascending
        yield from rows

    def _row(self, kind: int, page: bytes, entry: int) -> Row:
        place = entry + (4 if kind == INDEX_INTERIOR else 0)
        size, place = _varint(page, place)
        if kind != TABLE_LEAF:
            return _record(self._payload(page, place, size, is_table=False))
        rowid, place = _varint(page, place)
        return (_signed(rowid), *_record(self._payload(page, place, size, is_table=True)))

    def _payload(self, page: bytes, place: int, size: int, *, is_table: bool) -> bytes:
        """Return a entry's payload, also where it continues on overflow pages."""
        usable = self._usable
        if size > usable * self._pages.count:
            raise Damaged
        least = (usable - 12) * 32 // 255 - 23
        most = usable - 35 if is_table else (usable - 12) * 64 // 255 - 23
        if size <= most:
            return _exactly(page[place : place + size], size)
        local = least + (size - least) % (usable - 4)
        local = local if local <= most else least
        parts, missing = [_exactly(page[place : place + local], local)], size - local
        following = int.from_bytes(_exactly(page[place + local : place + local + 4], 4), "big")
        while missing > 0:
            overflow = self._pages.page(following)
            part = _exactly(overflow[4:], usable - 4)[:missing]
            parts.append(part)
            missing -= len(part)
            following = int.from_bytes(overflow[:4], "big")
        return b"".join(parts)

    def _free_pages(self) -> set[int]:
        """Return the pages of the freelist, as far as it can be read."""
        free = set[int]()
        trunk = int.from_bytes(self._pages.page(1)[32:36], "big")
        while 0 < trunk <= self._pages.count and trunk not in free:
            free.add(trunk)
            page = self._pages.page(trunk)
            count = min(int.from_bytes(page[4:8], "big"), self._usable // 4 - 2)
            free.update(struct.unpack_from(f">{count}I", page, 8) if page else ())
            trunk = int.from_bytes(page[:4], "big")
        return free


def _ascending(rows: list[Row]) -> list[Row]:
    """Return the most rows of a page whose rowids ascend: a damaged rowid is out of order."""
    # The longest increasing subsequence, by patience sorting (M. L. Fredman, 1975).
    lasts, ends, before = list[int](), list[int](), list[int]()
    for place, (rowid, *_) in enumerate(rows):
        assert isinstance(rowid, int)
        length = bisect_left(lasts, rowid)
        before.append(ends[length - 1] if length else -1)
        lasts[length : length + 1] = [rowid]
        ends[length : length + 1] = [place]
    found, place = list[Row](), ends[-1] if ends else -1
    while place >= 0:
        found.append(rows[place])
        place = before[place]
    return found[::-1]


def _signed(number: int) -> int:
    return number - (1 << 64) if number >> 63 else number


def _exactly(data: bytes, size: int) -> bytes:
    if len(data) != size:
        raise Damaged
    return data


def _varint(data: bytes, place: int) -> tuple[int, int]:
    """Return an integer of 1 to 9 bytes, and the place after it."""
    number = 0
    for byte in data[place : place + 8]:
        place += 1
        number = number << 7 | byte & 0x7F
        if byte < 0x80:
            return number, place
    return number << 8 | data[place], place + 1


def _record(payload: bytes) -> Row:
    """Decode a record: its header has the type of each value."""
    header, place = _varint(payload, 0)
    body, values = header, list[Value]()
    while place < header:
        kind, place = _varint(payload, place)
        size = INTEGER_BYTES[kind] if kind < FLOAT else _size(kind)
        values.append(_value(kind, _exactly(payload[body : body + size], size)))
        body += size
    if place != header or body != len(payload):
        raise Damaged
    return tuple(values)


def _size(kind: int) -> int:
    if kind == FLOAT:
        return 8
    if kind < BLOB:
        if kind not in (ZERO, ONE):
            raise Damaged
        return 0
    return (kind - BLOB) // 2


def _value(kind: int, data: bytes) -> Value:
    if kind == 0:
        return None
    if kind < FLOAT:
        return int.from_bytes(data, "big", signed=True)
    if kind == FLOAT:
        [number] = struct.unpack(">d", data)
        return float(number)
    if kind < BLOB:
        return kind - ZERO
    return data if kind % 2 == 0 else data.decode()
