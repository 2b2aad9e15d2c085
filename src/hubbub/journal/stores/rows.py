"""Decodes the rows of a SQLite database."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from itertools import groupby
from typing import Any

from ...errors import StorageError
from .contract import PlacedEvent, Snapshot

__all__ = ["lines_of", "placed_of", "snapshots_of"]


def lines_of(text: bytes | None) -> list[bytes]:
    """Split events that came as one text, a line each."""
    return [] if text is None else text.split(b"\n")


def placed_of(places: str | None, taken_back: str | None, text: bytes | None) -> list[PlacedEvent]:
    """
    Decode events that came with their places and whether they were deleted.

    Args:
        places: the ids, with spaces between.
        taken_back: a 0 or a 1 for each.
        text: the events, a line each.

    Raises:
        StorageError: an event has several lines, which only a damaged one has.
    """
    bodies = lines_of(text)
    numbers = (places or "").split()
    if len(numbers) != len(bodies):
        raise StorageError("This stored data cannot be read; run `hubbub verify`.")
    rows = zip(numbers, bodies, taken_back or "", strict=True)
    return [PlacedEvent(int(number), body, flag == "1") for number, body, flag in rows]


def snapshots_of(rows: Iterable[tuple[Any, ...]]) -> list[Snapshot]:
    """Assemble snapshots from their parts, a row each: (stream, seq, at, body)."""
    found = list[Snapshot]()
    for stream, parts in groupby(rows, key=lambda row: row[0]):
        [(_, seq, at, body), *more] = parts
        bodies = tuple(part for *_, part in more)
        found.append(Snapshot(stream, seq, datetime.fromisoformat(at), body, bodies))
    return found
