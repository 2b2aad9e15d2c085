"""Encodes and decodes the rows of a database."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from itertools import chain, groupby
from typing import Any

import msgspec

from ...errors import StorageError
from .contract import PlacedEvent, Snapshot, Used

__all__ = ["lines_of", "parts_of", "placed_of", "snapshots_of", "used_of", "used_row"]


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


def parts_of(snapshot: Snapshot) -> list[tuple[str, int, str, int, bytes]]:
    """Return the parts of a snapshot, a row each: (stream, seq, at, part, body)."""
    head = snapshot.stream, snapshot.seq, snapshot.at.isoformat()
    return [(*head, part, body) for part, body in enumerate(chain([snapshot.body], snapshot.parts))]


def used_row(used: Used) -> tuple[str, str, bytes, str, int]:
    """Return the row of a used key."""
    return used.by, used.key, used.fingerprint, _encode(used.places).decode(), used.at


def used_of(by: str, key: str, fingerprint: bytes, places: str | bytes, at: int) -> Used:
    """Decode the row of a used key."""
    return Used(by, key, fingerprint, _decode_places(places), at)


_encode = msgspec.json.Encoder().encode
_decode_places = msgspec.json.Decoder(tuple[tuple[str, int], ...]).decode
