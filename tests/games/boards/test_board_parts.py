from __future__ import annotations

from hubbub.games.boards.board_parts import (
    PART_METADATA,
    PART_PLACES,
    MetadataPart,
    board_parts_of,
    restored_from,
)
from hubbub.games.boards.ranking import Ranking
from hubbub.games.boards.sorted_places import Place


def ranking_of(count: int) -> Ranking:
    return Ranking(Place(number, number, number, f"user{number}") for number in range(count))


def test_places_and_metadata_come_in_parts_of_bounded_size() -> None:
    users = 2 * PART_PLACES + 1
    ranking = ranking_of(users)
    metadata = {f"user{number}": {"level": number} for number in range(2 * PART_METADATA + 1)}

    parts = board_parts_of(ranking, metadata)
    shown = [len(part.metadata) for part in parts if isinstance(part, MetadataPart)]

    assert [len(part) for part in parts if isinstance(part, list)] == [PART_PLACES, PART_PLACES, 1]
    assert shown == [PART_METADATA, PART_METADATA, 1]
    assert restored_from(parts, {}) == (ranking, metadata)


def test_a_part_is_found_from_both_ends_and_in_slices() -> None:
    parts = board_parts_of(ranking_of(PART_PLACES + 1), {"user1": {"level": 1}})
    every = list(parts)

    assert [len(every), len(parts)] == [3, 3]
    assert [parts[-3], parts[-2], parts[-1]] == every
    assert parts[1:] == every[1:]


def test_what_changes_later_is_in_no_part() -> None:
    ranking, metadata = ranking_of(3), {"user1": {"level": 1}}
    parts = board_parts_of(ranking, metadata)
    ranking.put(Place(-5, 9, 9, "user2"))
    metadata["user2"] = {"level": 2}

    assert restored_from(parts, {}) == (ranking_of(3), {"user1": {"level": 1}})


def test_the_metadata_of_earlier_releases_is_restored() -> None:
    before = {"user1": {"level": 1}}

    assert restored_from(board_parts_of(ranking_of(2), {}), before) == (ranking_of(2), before)
