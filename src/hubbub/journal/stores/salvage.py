"""Reads the tables of a database whose file is damaged: every row that is still there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple, TypeVar

import msgspec

from .b_trees import BTrees, Row
from .pages import open_pages

__all__ = ["EventRow", "KeyRow", "Salvage", "open_salvage"]

SCHEMA_ROOT = 1

R = TypeVar("R")


class EventRow(NamedTuple):
    """A row of the table of events, with its rowid; SQLite stores that column as NULL."""

    id: int
    null: None
    stream: int
    seq: int
    type: str
    by: str
    ref: int | None
    body: bytes


class KeyRow(NamedTuple):
    """A row of the table of used keys; releases before 0.1 wrote no time."""

    by: str
    key: str
    fingerprint: bytes
    places: str
    at: int | None = None


class _MetaRow(NamedTuple):
    name: str
    value: str


class _SchemaRow(NamedTuple):
    rowid: int
    type: str
    name: str
    table: str
    root: int
    sql: str | None


class Salvage:
    """
    The readable rows of a database; a row may come twice.

    Args:
        trees: its b-trees.
        size: bytes of its pages, in the file and in the log beside it.
    """

    def __init__(self, trees: BTrees, size: int) -> None:
        self._trees = trees
        self.size = size
        schema = _of_form(trees.walk(SCHEMA_ROOT), _SchemaRow)
        self._roots = {row.name: row.root for row in schema if row.type == "table"}

    @property
    def damaged_pages(self) -> list[int]:
        """The numbers of the pages that could not be decoded so far."""
        return sorted(self._trees.damaged)

    def events(self) -> Iterator[EventRow]:
        """Yield the events."""
        return self._rows("event", EventRow)

    def used(self) -> Iterator[KeyRow]:
        """Yield the used keys."""
        return self._rows("used", KeyRow)

    def meta(self, name: str) -> str | None:
        """Return a value of the table of such values."""
        return next((row.value for row in self._rows("meta", _MetaRow) if row.name == name), None)

    def _rows(self, table: str, form: type[R]) -> Iterator[R]:
        """Yield a table's rows: those of its tree first, then any on pages out of reach."""
        root, before = self._roots.get(table), len(self._trees.damaged)
        if root is not None:
            yield from _of_form(self._trees.walk(root), form)
        if root is None or len(self._trees.damaged) > before:
            yield from _of_form(self._trees.stray(), form)


@contextmanager
def open_salvage(db: Path) -> Iterator[Salvage]:
    """
    Open a damaged database, to read it only.

    Args:
        db: its path; nobody writes to it.
    """
    with open_pages(db) as pages:
        yield Salvage(BTrees(pages), pages.count * pages.page_bytes)


def _of_form(rows: Iterator[Row], form: type[R]) -> Iterator[R]:
    for row in rows:
        try:
            yield msgspec.convert(row, form)
        except msgspec.ValidationError:
            # It belongs to another table.
            continue
