"""The entries that things are kept in."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubbub.journal.decide.cache_entries import (
    SNAPSHOT_EVENT_BYTES,
    SNAPSHOT_EVENTS_MIN,
    GrowingEvents,
    MessageEntry,
    StreamEntry,
)
from hubbub.journal.event import Data, Event
from tests.journal.tally import NOON, Added, Tally


def event(seq: int, data: Data | None = None, ref: int | None = None) -> Event:
    return Event("tally/1", seq, NOON, "ann", ref, data or Added(seq))


def cell_of(*events: Event) -> StreamEntry:
    entry = StreamEntry("tally/1", Tally())
    for each in events:
        entry.take(each)
    return entry


def test_a_stream_takes_its_events_without_a_gap() -> None:
    entry = cell_of(event(1))

    with pytest.raises(AssertionError, match="no gaps"):
        entry.take(event(3))


def test_a_stream_knows_its_head_and_its_time() -> None:
    entry = cell_of(event(1), event(2))

    assert (entry.stream, entry.head, entry.at, entry.tail) == ("tally/1", 2, NOON, 2)


def test_a_snapshot_is_wanted_when_the_tail_is_long() -> None:
    entry = cell_of(*map(event, range(1, SNAPSHOT_EVENTS_MIN + 1)))
    before = entry.wants_snapshot()
    entry.take(event(SNAPSHOT_EVENTS_MIN + 1))

    assert (before, entry.wants_snapshot()) == (False, True)


def test_a_snapshot_of_a_large_state_is_wanted_less_often() -> None:
    entry = cell_of()
    entry.snapshot_bytes = 1_000 * SNAPSHOT_EVENT_BYTES
    entry.tail = 1_000
    before = entry.wants_snapshot()
    entry.tail = 1_001

    assert (before, entry.wants_snapshot()) == (False, True)


@given(st.integers(1, 8), st.integers(0, 8), st.integers(0, 8))
def test_a_thread_is_whole_whenever_its_events_came(count: int, stored: int, since: int) -> None:
    everything = [event(seq) for seq in range(1, count + 1)]
    thread = MessageEntry(("tally/1", 1))
    # The store had a part when it was read, and a part came while it was.
    thread.events = everything[min(since, stored) :]
    thread.install(everything[:stored])

    assert thread.loaded
    assert thread.events == everything


# What stays in memory


def newest(about: Sequence[Event]) -> Sequence[Event]:
    return about[-1:]


def test_a_thread_keeps_what_counts_and_tells_what_no_longer_does() -> None:
    said, *about = (event(seq, ref=1 if seq > 1 else None) for seq in range(1, 6))
    thread = MessageEntry(("tally/1", 1), newest)
    thread.install([said, *about[:3]])

    # What the store had too many of goes with the next one.
    assert thread.events == [said, about[2]]
    assert thread.take(about[3]) == [2, 3, 4]
    assert thread.events == [said, about[3]]


def test_what_comes_while_a_thread_is_loaded_is_sorted_out_afterwards() -> None:
    said, *about = (event(seq, ref=1 if seq > 1 else None) for seq in range(1, 5))
    thread = MessageEntry(("tally/1", 1), newest)

    assert list(thread.take(about[1])) == []
    thread.install([said, about[0]])
    assert thread.events == [said, about[1]]
    assert thread.take(about[2]) == [2, 3]


class Growing(list[Event]):
    """Keeps the newest, and notes that it was never asked for all."""

    def add(self, event: Event) -> list[int]:
        gone = [one.seq for one in self]
        self[:] = [event]
        return gone


def test_what_grows_by_itself_is_made_once() -> None:
    made = list[Sequence[Event]]()

    def current(about: Sequence[Event]) -> Growing:
        made.append(about)
        return Growing(about[-1:])

    said, *about = (event(seq, ref=1 if seq > 1 else None) for seq in range(1, 7))
    thread = MessageEntry(("tally/1", 1), current)
    thread.take(about[1])
    thread.install([said, about[0]])

    assert (thread.events, list(thread.about)) == ([said], [about[1]])
    # What the store had too many of goes with the next one.
    assert thread.take(about[2]) == [2, 3]
    assert thread.take(about[3]) == [4]
    assert list(thread.about) == [about[3]]
    assert isinstance(thread.about, GrowingEvents)
    assert len(made) == 1
