from __future__ import annotations

from collections.abc import Iterator, Sequence
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubbub.games.boards import sorted_places
from hubbub.games.boards.sorted_places import Place, SortedPlaces

# Few places for each run, so that runs split and merge all the time, and few runs for each group.
RUN_PLACES = 4
GROUP_RUNS = 3


@pytest.fixture(autouse=True, scope="module")
def short_runs() -> Iterator[None]:
    with (
        patch.object(sorted_places, "RUN_PLACES", RUN_PLACES),
        patch.object(sorted_places, "GROUP_RUNS", GROUP_RUNS),
    ):
        yield


def places_of(keys: Sequence[float]) -> list[Place]:
    return [Place(key, seq, 0, f"u{seq}") for seq, key in enumerate(keys)]


keys = st.lists(st.integers(-3, 3) | st.floats(-3, 3), max_size=80)


@given(keys)
def test_all_places_are_in_order(keys: list[float]) -> None:
    places, one_by_one = places_of(keys), SortedPlaces()
    for place in places:
        one_by_one.add(place)

    assert list(one_by_one) == list(SortedPlaces(places)) == sorted(places)


@given(keys, st.data())
def test_a_position_is_that_of_a_sorted_list(keys: list[float], data: st.DataObject) -> None:
    places = places_of(keys)
    held = SortedPlaces(places)
    gone = data.draw(st.lists(st.sampled_from(places), unique=True)) if places else []
    for place in gone:
        held.remove(place)
        places.remove(place)

    assert list(held) == sorted(places)
    assert [held.count_before(place) for place in sorted(places)] == list(range(len(places)))


@given(keys, st.integers(0, 90), st.integers(0, 20))
def test_a_page_is_a_slice(keys: list[float], after: int, limit: int) -> None:
    places = places_of(keys)
    held = SortedPlaces(places)

    assert held.page(after, limit) == sorted(places)[after : after + limit]


@given(keys, st.data())
def test_a_place_that_has_just_come_has_its_position(
    keys: list[float], data: st.DataObject
) -> None:
    places, held = places_of(keys), SortedPlaces()
    here: list[Place] = []
    for place in places:
        held.add(place)
        here.append(place)

        assert held.count_before(place) == sorted(here).index(place)
        if data.draw(st.booleans()):
            gone = data.draw(st.sampled_from(here))
            held.remove(gone)
            here.remove(gone)

            assert held.count_before(place) == sum(one < place for one in here)


@given(keys, keys, st.integers(0, 90), st.integers(0, 20), st.data())
def test_frozen_places_stay_as_they_were(
    before: list[float], later: list[float], after: int, limit: int, data: st.DataObject
) -> None:
    places = places_of([*before, *later])
    held = SortedPlaces(places[: len(before)])
    frozen, was = held.frozen(), list(held)
    for place in places[len(before) :]:
        held.add(place)
    for place in data.draw(st.lists(st.sampled_from(was), unique=True)) if was else []:
        held.remove(place)
        places.remove(place)

    assert frozen.page(0, len(was) + 1) == was
    assert frozen.page(after, limit) == was[after : after + limit]
    assert len(frozen) == len(was)
    assert list(held) == sorted(places)


def test_a_run_that_was_copied_can_be_frozen_again() -> None:
    places = places_of(range(RUN_PLACES))
    held = SortedPlaces(places[:-2])
    held.frozen()
    held.add(places[-2])
    frozen = held.frozen()
    held.add(places[-1])
    held.remove(places[0])

    assert frozen.page(0, RUN_PLACES) == places[:-1]
    assert list(held) == places[1:]


def test_a_place_can_change_its_nickname_at_the_end_of_a_run() -> None:
    places = places_of(range(3 * RUN_PLACES))
    held = SortedPlaces(places)
    for place in places:
        held.remove(place)
        held.add(Place(place.key, place.seq, place.at_us, place.user, "Ann"))

    assert [place.nickname for place in held] == ["Ann"] * len(places)


def test_places_that_all_leave_take_their_runs_with_them() -> None:
    places = places_of(range(10 * RUN_PLACES))
    held = SortedPlaces(places)
    for place in places:
        held.remove(place)

    assert list(held) == []
    assert held.page(0, 10) == []


@given(st.integers(1, 60))
def test_a_place_that_is_not_there_has_a_position(count: int) -> None:
    held = SortedPlaces(places_of(range(count)))

    assert held.count_before(Place(count / 2, 0, 0, "")) == (count + 1) // 2
