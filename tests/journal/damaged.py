"""Damages copies of a database: cuts them short, flips bits, and zeroes pages."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from random import Random

import msgspec

from hubbub.journal.stores.sqlite import SQLiteStore

__all__ = ["Damage", "damage", "events_of", "flips_between"]

PAGE_BYTES = 4096
FLIPS_MAX = 50

Events = dict[tuple[str, int], bytes]


class Damage(msgspec.Struct, frozen=True):
    """The damage to a file: its kind, and how many bits were flipped."""

    kind: str
    flips: int = 0


def damage(data: bytearray, random: Random) -> Damage:
    """Damage the contents of a file in one way."""
    kind = random.choice(["cut", "flips", "flips", "zeroed page"])
    if kind == "cut":
        del data[random.randrange(len(data)) :]
    elif kind == "zeroed page":
        page = random.randrange(len(data) // PAGE_BYTES)
        data[page * PAGE_BYTES : (page + 1) * PAGE_BYTES] = bytes(PAGE_BYTES)
    else:
        flips = random.randint(1, FLIPS_MAX)
        for _ in range(flips):
            data[random.randrange(len(data))] ^= 1 << random.randrange(8)
        return Damage(kind, flips)
    return Damage(kind)


def events_of(db: Path) -> Events:
    """Read all events of a database, encoded."""
    with closing(SQLiteStore(db)) as store:
        return {
            (stream, record.seq): record.body
            for stream, count in store.streams()
            for record in store.records(stream, 0, count)
        }


def flips_between(before: Events, after: Events) -> int | None:
    """Return how many bits of some events differ; None if they differ in another way."""
    flips = 0
    for place, body in after.items():
        old = before.get(place, b"")
        if len(old) != len(body):
            return None
        flips += sum((one ^ other).bit_count() for one, other in zip(old, body, strict=True))
    return flips
