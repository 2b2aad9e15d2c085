from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hubbub.games.matches.rating import Rating, rate

ratings = st.builds(Rating, st.floats(0, 3_000), st.floats(10, 500))


def test_the_winner_gains_what_the_loser_loses() -> None:
    winner, loser = rate([Rating(), Rating()], [1, 2])

    assert winner.rating > 1_500 > loser.rating
    assert winner.rating - 1_500 == 1_500 - loser.rating
    assert winner.deviation == loser.deviation < 500


def test_a_draw_of_equals_changes_no_rating_but_makes_it_surer() -> None:
    one, other = rate([Rating(), Rating()], [1, 1])

    assert one.rating == other.rating == 1_500
    assert one.deviation < 500


def test_to_win_against_the_better_gains_more() -> None:
    strong, weak = Rating(1_800, 100), Rating(1_200, 100)
    upset, _ = rate([weak, strong], [1, 2])
    expected, _ = rate([strong, weak], [1, 2])

    assert upset.rating - weak.rating > expected.rating - strong.rating


def test_of_several_the_place_counts() -> None:
    first, second, third = rate([Rating()] * 3, [1, 2, 3])

    assert first.rating > second.rating > third.rating


@given(st.lists(ratings, min_size=2, max_size=8), st.data())
def test_the_winner_never_loses_and_the_last_never_gains(
    before: list[Rating], data: st.DataObject
) -> None:
    ranks = data.draw(st.permutations(range(1, len(before) + 1)))
    after = rate(before, ranks)

    first, last = ranks.index(1), ranks.index(len(before))
    assert after[first].rating >= before[first].rating - 0.001
    assert after[last].rating <= before[last].rating + 0.001
