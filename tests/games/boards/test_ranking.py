from __future__ import annotations

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubbub.games.boards.ranking import Ranking
from hubbub.games.boards.sorted_places import Place

ANN = Place(-30, 5, 0, "ann")
BOB = Place(-20, 3, 0, "bob")
EVE = Place(-20, 4, 0, "eve", "Eve")


@pytest.mark.parametrize("places", list(permutations([ANN, BOB, EVE])))
def test_places_are_kept_in_the_order_of_their_rank(places: tuple[Place, ...]) -> None:
    ranking = Ranking()
    for place in places:
        ranking.put(place)

    assert list(ranking) == [ANN, BOB, EVE]
    assert [ranking.rank(place) for place in (ANN, BOB, EVE)] == [1, 2, 3]
    assert ranking == Ranking(places)


def test_of_equal_scores_the_first_is_the_better() -> None:
    assert BOB < EVE


def test_a_new_place_is_instead_of_the_one_before() -> None:
    ranking = Ranking([ANN, BOB, EVE])
    better = Place(-40, 6, 0, "eve")

    ranking.put(better)

    assert list(ranking) == [better, ANN, BOB]
    assert len(ranking) == 3
    assert ranking.get("eve") == better


def test_a_place_that_differs_by_its_nickname_only_is_replaced() -> None:
    ranking = Ranking([ANN, BOB])
    for nickname in ("Ann", None, "Änn"):
        ranking.put(Place(ANN.key, ANN.seq, ANN.at_us, "ann", nickname))

    assert [place.nickname for place in ranking] == ["Änn", None]


def test_who_has_no_place_gets_none() -> None:
    assert Ranking([ANN]).get("bob") is None


def test_an_empty_ranking_has_no_places() -> None:
    assert len(Ranking()) == 0
    assert Ranking().page(0, 10) == []


@pytest.mark.parametrize(
    ("after", "limit", "found"),
    [
        (0, 2, [ANN, BOB]),
        (1, 2, [BOB, EVE]),
        (2, 2, [EVE]),
        (3, 2, []),
        (10, 2, []),
    ],
)
def test_a_page_has_the_places_after_a_rank(after: int, limit: int, found: list[Place]) -> None:
    assert Ranking([EVE, BOB, ANN]).page(after, limit) == found


def test_rankings_of_the_same_places_are_equal() -> None:
    assert Ranking([ANN, BOB]) == Ranking([BOB, ANN])
    assert Ranking([ANN, BOB]) != Ranking([ANN])
    assert Ranking() != []


places = st.builds(
    Place,
    st.integers(-2, 2) | st.floats(-2, 2),
    st.integers(1, 5),
    st.just(0),
    st.sampled_from(["ann", "bob", "eve", "zoë"]),
    st.none() | st.sampled_from(["Ann", "A"]),
)


@given(st.lists(places, max_size=20))
def test_what_is_put_is_found_where_sorting_has_it(put: list[Place]) -> None:
    ranking = Ranking()
    for place in put:
        ranking.put(place)

    newest = sorted({place.user: place for place in put}.values(), key=lambda p: p.user)
    ordered = sorted(newest, key=lambda p: (p.key, p.seq, p.user))
    assert list(ranking) == ordered
    assert [ranking.rank(place) for place in ordered] == list(range(1, len(ordered) + 1))
    assert all(ranking.get(place.user) == place for place in ordered)
