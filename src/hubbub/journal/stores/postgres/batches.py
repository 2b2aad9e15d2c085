"""A batch as the parameters of its statements."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from ....words import words
from ..contract import Batch, Record, Snapshot, Stale, Used
from .arrays import Blobs, Numbers, Texts

__all__ = [
    "INDEXED_CHARS_MAX",
    "check_seqs",
    "event_arrays",
    "limit_arrays",
    "part_arrays",
    "seqs_before",
    "terms_in",
    "used_arrays",
    "used_from",
]

# The characters of a text that are indexed. More terms than these give would not fit in a
# row's index, of 1 MB, and the event could not be written.
INDEXED_CHARS_MAX = 10_000


class _WithText(msgspec.Struct):
    text: str | msgspec.UnsetType = msgspec.UNSET


_with_text = msgspec.json.Decoder(_WithText).decode
_encode = msgspec.json.Encoder().encode
_places = msgspec.json.Decoder(tuple[tuple[str, int], ...]).decode


def check_seqs(records: Iterable[Record], heads: Mapping[str, int]) -> dict[str, int]:
    """
    Return the new head of each stream of a batch.

    Args:
        records: of the batch.
        heads: the present heads of the streams that are held.

    Raises:
        Stale: a record does not follow the last one of its stream.
    """
    after = dict[str, int]()
    for record in records:
        head = after.get(record.stream)
        if head is None:
            head = heads[record.stream]
        if record.seq != head + 1:
            raise Stale
        after[record.stream] = record.seq
    return after


def event_arrays(records: Sequence[Record], ids: Mapping[str, int]) -> tuple[Any, ...]:
    """Return the columns of new events; those of a new stream have its name for its id."""
    known = [ids.get(record.stream, 0) for record in records]
    return (
        Numbers(known),
        Texts(None if number else r.stream for number, r in zip(known, records, strict=True)),
        Numbers(record.seq for record in records),
        Texts(record.type for record in records),
        Texts(record.by for record in records),
        Numbers(record.ref for record in records),
        Blobs(record.body for record in records),
        Texts(terms_in(record.body) for record in records),
    )


def used_arrays(used: Iterable[Used]) -> tuple[Any, ...]:
    """Return the columns of used keys, in the order in which all nodes write them."""
    ordered = sorted(used, key=lambda one: (one.by, one.key))
    return (
        Texts(one.by for one in ordered),
        Texts(one.key for one in ordered),
        Blobs(one.fingerprint for one in ordered),
        Blobs(_encode(one.places) for one in ordered),
        Numbers(one.at for one in ordered),
    )


def used_from(by: str, key: str, fingerprint: bytes, places: bytes, at: int) -> Used:
    """Decode the row of a used key."""
    return Used(by, key, fingerprint, _places(places), at)


def limit_arrays(
    limits: Mapping[tuple[str, str], bytes], names: Iterable[tuple[str, str]]
) -> tuple[Any, ...]:
    """Return the columns of some of a batch's limits, in the order in which all write them."""
    ordered = sorted(names)
    return (
        Texts(limited for limited, _ in ordered),
        Texts(by for _, by in ordered),
        Blobs(limits[name] for name in ordered),
    )


def part_arrays(snapshots: Iterable[Snapshot]) -> tuple[Any, ...]:
    """Return the columns of the parts of snapshots after their first."""
    rows = [
        (one.stream, one.seq, part, one.at.isoformat(), body)
        for one in snapshots
        for part, body in enumerate(one.parts, 1)
    ]
    return (
        Texts(row[0] for row in rows),
        Numbers(row[1] for row in rows),
        Numbers(row[2] for row in rows),
        Texts(row[3] for row in rows),
        Blobs(row[4] for row in rows),
    )


def seqs_before(batch: Batch) -> dict[str, int]:
    """Return the seq before the first event of each stream in a batch."""
    before = dict[str, int]()
    for record in batch.records:
        before.setdefault(record.stream, record.seq - 1)
    return before


def terms_in(body: bytes) -> str | None:
    """Return the terms of an event's text, with a space before each; None if it has none."""
    # Most events have no text, and need not be decoded.
    if b'"text"' not in body:
        return None
    try:
        text = _with_text(body).text
    except msgspec.MsgspecError:
        return None
    if not text:
        return None
    terms = words(text[:INDEXED_CHARS_MAX])
    return "".join([f" {term}" for term in terms]) or None
