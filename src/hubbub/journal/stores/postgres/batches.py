"""A batch as the parameters of its statements."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from ....words import words
from ..contract import Batch, Record, Snapshot, Stale, Used
from ..rows import parts_of
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
]

# The characters of a text that are indexed. More terms than these give would not fit in a
# row's index, of 1 MB, and the event could not be written.
INDEXED_CHARS_MAX = 10_000


class _WithText(msgspec.Struct):
    text: str | msgspec.UnsetType = msgspec.UNSET


_with_text = msgspec.json.Decoder(_WithText).decode
_encode = msgspec.json.Encoder().encode


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
    rows = [row for snapshot in snapshots for row in parts_of(snapshot)[1:]]
    return (
        Texts(stream for stream, *_ in rows),
        Numbers(seq for _, seq, *_ in rows),
        Numbers(part for *_, part, _ in rows),
        Texts(at for _, _, at, *_ in rows),
        Blobs(body for *_, body in rows),
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
