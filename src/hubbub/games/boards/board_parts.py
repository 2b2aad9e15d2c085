"""The parts of a large board's snapshot: its places, and the metadata of its users. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from .ranking import Ranking
from .sorted_places import Place

__all__ = [
    "PART_METADATA",
    "PART_PLACES",
    "BoardPart",
    "MetadataPart",
    "board_parts_of",
    "restored_from",
]

# Entries that are encoded at once, which takes a few milliseconds.
PART_PLACES = 5_000
# Users whose metadata is encoded at once; most have some dozen bytes each.
PART_METADATA = 1_000


class MetadataPart(msgspec.Struct, frozen=True):
    """The metadata of some users."""

    metadata: list[tuple[str, dict[str, Any]]]


BoardPart = list[Place] | MetadataPart


def board_parts_of(ranking: Ranking, metadata: Mapping[str, dict[str, Any]]) -> list[BoardPart]:
    """Return the places in order, and then the metadata; later changes do not show in them."""
    places, shown = list(ranking), list(metadata.items())
    return [
        *(places[at : at + PART_PLACES] for at in range(0, len(places), PART_PLACES)),
        *(
            MetadataPart(shown[at : at + PART_METADATA])
            for at in range(0, len(shown), PART_METADATA)
        ),
    ]


def restored_from(
    parts: Iterable[BoardPart], metadata: Mapping[str, dict[str, Any]]
) -> tuple[Ranking, dict[str, dict[str, Any]]]:
    """
    Return a board's ranking and metadata.

    Args:
        parts: of the snapshot.
        metadata: of all users in one piece, as earlier releases wrote it.
    """
    found = dict(metadata)

    def places() -> Iterator[Place]:
        for part in parts:
            if isinstance(part, MetadataPart):
                found.update(part.metadata)
            else:
                yield from part

    return Ranking(places()), found
