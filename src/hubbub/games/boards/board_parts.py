"""The parts of a large board's snapshot: its places, and the metadata of its users. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, overload

import msgspec

from .ranking import Ranking
from .sorted_places import FrozenPlaces, Place

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


class _BoardParts(Sequence[BoardPart]):
    """
    The parts of a board, each made when it is needed: all at once would stop the event loop.

    Args:
        places: the places.
        shown: the users with metadata.
    """

    __slots__ = ("_firsts", "_places", "_shown")

    def __init__(self, places: FrozenPlaces, shown: list[tuple[str, dict[str, Any]]]) -> None:
        self._places = places
        self._shown = shown
        # A part of places, or of metadata -> where it begins among them.
        self._firsts = [
            *((True, at) for at in range(0, len(places), PART_PLACES)),
            *((False, at) for at in range(0, len(shown), PART_METADATA)),
        ]

    def __len__(self) -> int:
        return len(self._firsts)

    @overload
    def __getitem__(self, index: int) -> BoardPart: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[BoardPart]: ...

    def __getitem__(self, index: int | slice) -> BoardPart | Sequence[BoardPart]:
        if isinstance(index, slice):
            return [self[number] for number in range(len(self))[index]]
        of_places, at = self._firsts[index]
        if of_places:
            return self._places.page(at, PART_PLACES)
        return MetadataPart(self._shown[at : at + PART_METADATA])


def board_parts_of(ranking: Ranking, metadata: Mapping[str, dict[str, Any]]) -> Sequence[BoardPart]:
    """Return the places in order, and then the metadata; later changes do not show in them."""
    return _BoardParts(ranking.frozen(), list(metadata.items()))


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
