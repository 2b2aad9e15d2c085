from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubbub.chat.events import Joined
from hubbub.journal.event import Data, Event
from hubbub.journal.link import Linked, Links, Marked, Offered, Unlinked

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
targets = st.sampled_from(["room/1", "room/2", "direct/a/b"])
marks = st.integers(0, 9)
links = st.lists(
    st.builds(Linked, targets, marks)
    | st.builds(Marked, targets, marks)
    | st.builds(Unlinked, targets)
    | st.builds(Offered, targets),
    max_size=20,
)


def fold(*data: Data) -> dict[str, int]:
    state = Links()
    for seq, each in enumerate(data, 1):
        state.apply(Event("index/1", seq, NOON, "ann", None, each))
    return state.links


def test_a_stream_is_linked_from_a_mark_on() -> None:
    assert fold(Linked("room/1", 2), Linked("room/2")) == {"room/1": 2, "room/2": 0}


def test_what_is_unlinked_is_gone() -> None:
    assert fold(Linked("room/1"), Unlinked("room/1")) == {}


def test_to_unlink_what_was_never_linked_changes_nothing() -> None:
    assert fold(Unlinked("room/1")) == {}


def test_a_mark_moves() -> None:
    assert fold(Linked("room/1", 1), Marked("room/1", 7)) == {"room/1": 7}


def test_an_offer_is_no_link() -> None:
    assert fold(Offered("room/1")) == {}


def test_links_keep_the_order_in_which_they_came() -> None:
    assert list(fold(Linked("room/2"), Linked("room/1"), Marked("room/2", 5))) == [
        "room/2",
        "room/1",
    ]


def test_what_is_no_link_is_a_mistake() -> None:
    with pytest.raises(AssertionError, match="not a link"):
        fold(Joined())


def test_an_index_is_everybodys() -> None:
    Links().check_reader("index/rooms", "anybody")


@given(links)
def test_the_last_word_on_a_target_counts(data: list[Any]) -> None:
    last = {each.to: each for each in data if not isinstance(each, Offered)}

    assert fold(*data) == {to: d.mark for to, d in last.items() if not isinstance(d, Unlinked)}


@given(links, links, targets)
def test_links_are_given_in_order_as_they_come_and_go(
    before: list[Data], later: list[Data], after: str
) -> None:
    state = Links()
    for each in before:
        state.apply(Event("index/1", 1, NOON, "ann", None, each))
    first = list(state.ordered())
    assert first == sorted(state.links)
    for each in later:
        state.apply(Event("index/1", 1, NOON, "ann", None, each))

        assert list(state.ordered()) == sorted(state.links)
        assert list(state.ordered(after)) == sorted(s for s in state.links if s > after)


def test_the_order_is_no_part_of_the_fold() -> None:
    asked, never_asked = Links(links={"room/1": 1}), Links(links={"room/1": 1})
    list(asked.ordered())

    assert asked == never_asked
    assert msgspec.json.encode(asked) == msgspec.json.encode(never_asked)
