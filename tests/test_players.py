"""The user's stream about the user as a player."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from hubbub.chat.events import Joined
from hubbub.journal.event import Event
from hubbub.journal.link import Linked, Links
from hubbub.players import RIVALRY_PERIOD, RIVALS_MAX, PlayerLinks, Rated, ToldPlayer

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def rated(*matches: tuple[timedelta, str]) -> PlayerLinks:
    """Fold rated matches that ended so long after noon, each against one other user."""
    state = PlayerLinks()
    for seq, (after, other) in enumerate(matches, 1):
        state.apply(Event("user/ann", seq, NOON + after, "ann", None, Rated(1_600, 400, [other])))
    return state


def test_matches_of_a_day_are_counted_from_its_first_on() -> None:
    hour = timedelta(hours=1)
    state = rated((0 * hour, "bob"), (23 * hour, "bob"), (23 * hour, "cid"))

    assert state.rated_with("bob", NOON + 23 * hour) == 2
    assert state.rated_with("bob", NOON + RIVALRY_PERIOD) == 0
    assert state.rated_with("cid", NOON + RIVALRY_PERIOD) == 1
    assert state.rated_with("eve", NOON) == 0


def test_a_new_day_begins_with_its_first_match() -> None:
    state = rated((timedelta(), "bob"), (RIVALRY_PERIOD, "bob"), (1.5 * RIVALRY_PERIOD, "bob"))

    assert state.rated_with("bob", NOON + 1.75 * RIVALRY_PERIOD) == 2


def test_so_many_rivals_are_remembered() -> None:
    minute = timedelta(minutes=1)
    names = [f"user {number}" for number in range(RIVALS_MAX)]
    state = rated((0 * minute, "bob"), *((minute, name) for name in names))

    assert len(state.rivals) == RIVALS_MAX
    assert state.rated_with("bob", NOON + minute) == 0
    assert state.rated_with(names[0], NOON + minute) == 1


def test_a_rating_of_before_names_nobody() -> None:
    state = PlayerLinks()
    state.apply(Event("user/ann", 1, NOON, "ann", None, Rated(1_600, 400)))

    assert (state.rating, state.rivals) == (1_600, {})


def test_what_a_game_tells_a_player_is_no_part_of_the_fold() -> None:
    state = PlayerLinks()
    state.apply(Event("user/ann", 1, NOON, "/hub", None, ToldPlayer("match/1", {"hand": [7]})))

    assert state == PlayerLinks()


def test_a_player_has_links_as_others_have() -> None:
    state = PlayerLinks()
    state.apply(Event("user/ann", 1, NOON, "ann", None, Linked("match/1")))

    assert state.links == {"match/1": 0}
    with pytest.raises(AssertionError, match="not a link"):
        state.apply(Event("user/ann", 2, NOON, "ann", None, Joined()))


def test_a_snapshot_of_an_index_from_before_ratings_moved_is_still_read() -> None:
    # Every kind of links had a rating once.
    kept = b'{"links":{"match/1":0},"nickname":"","rating":1500.0,"deviation":500.0,"rivals":{}}'

    assert msgspec.json.decode(kept, type=Links) == Links(links={"match/1": 0})
