from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubbub.errors import NotFound
from hubbub.journal.command import Call
from hubbub.journal.decide.cache_entries import (
    IdempotencyRecord,
    MessageEntry,
    NotLoaded,
    StreamEntry,
)
from hubbub.journal.decide.states import States
from hubbub.journal.event import Data, Event
from hubbub.journal.link import Links
from tests.journal.tally import NOON, Added, Doubted, Tally, new_limit, total


def event(seq: int, data: Data | None = None, ref: int | None = None) -> Event:
    return Event("tally/1", seq, NOON, "ann", ref, data or Added(seq))


def entry_of(*events: Event, stream: str = "tally/1") -> StreamEntry:
    entry = StreamEntry(stream, Tally())
    for each in events:
        entry.take(each)
    return entry


def thread_of(seq: int, *events: Event) -> MessageEntry:
    thread = MessageEntry(("tally/1", seq))
    thread.install(events)
    return thread


def bound(states: States) -> Call[int]:
    """Let a call decide from now on."""
    call = Call(total("tally/1"))
    states.bind(call)
    return call


@pytest.fixture
def states() -> States:
    """Room for plenty, with a call under way."""
    states = States(100, new_limit)
    bound(states)
    return states


# What a decision asks for


def test_a_state_in_memory_is_given(states: States) -> None:
    states.put(entry_of(event(1), event(2)))

    assert states.of(Tally, "tally/1").total == 3


@pytest.mark.parametrize(
    ("ask", "name"),
    [
        (lambda states: states.of(Tally, "tally/9"), "tally/9"),
        (lambda states: states.event("tally/9", 1), "tally/9"),
        (lambda states: states.event("tally/1", 1), ("tally/1", 1)),
        (lambda states: states.about("tally/1", 1), ("tally/1", 1)),
        (lambda states: states.used("ann", "key"), ("ann", "key", "")),
    ],
    ids=["state", "event of a cold stream", "event", "about", "key"],
)
def test_what_is_not_in_memory_is_named_for_loading(states: States, ask: Any, name: object) -> None:
    states.put(entry_of(event(1)))

    with pytest.raises(NotLoaded) as caught:
        ask(states)

    assert caught.value.names == (name,)


def test_what_is_needed_together_is_named_together(states: States) -> None:
    states.put(entry_of(event(1)))

    with pytest.raises(NotLoaded) as caught:
        states.need(["tally/cold", event(1).stream, "tally/colder"])

    assert caught.value.names == ("tally/cold", "tally/colder")


def test_what_is_needed_may_be_there(states: States) -> None:
    states.put(entry_of(event(1)))

    states.need([event(1).stream])


def test_a_stream_of_another_kind_is_not_found(states: States) -> None:
    states.put(entry_of(event(1)))

    with pytest.raises(NotFound):
        states.of(Links, "tally/1")


@pytest.mark.parametrize("seq", [-1, 0, 3])
def test_an_event_that_the_stream_does_not_have_is_not_found(states: States, seq: int) -> None:
    states.put(entry_of(event(1), event(2)))

    with pytest.raises(NotFound):
        states.event("tally/1", seq)
    with pytest.raises(NotFound):
        states.about("tally/1", seq)


def test_an_event_is_apart_from_what_is_about_it(states: States) -> None:
    said, doubted = event(1), event(2, Doubted(), ref=1)
    states.put(entry_of(said, doubted))
    states.put(thread_of(1, said, doubted))

    assert states.event("tally/1", 1) == said
    assert states.about("tally/1", 1) == [doubted]


def test_a_thread_learns_what_happens_to_it(states: States) -> None:
    states.put(entry_of(event(1)))
    states.put(thread_of(1, event(1)))
    states.entry("tally/1").take(event(2, Doubted(), ref=1))
    states.applied(event(2, Doubted(), ref=1))
    states.applied(event(3))

    assert [about.seq for about in states.about("tally/1", 1)] == [2]


# The entries


def test_the_least_recently_used_goes_first() -> None:
    states = States(2, new_limit)
    states.put(entry_of(stream="tally/1"))
    states.put(entry_of(stream="tally/2"))
    call = bound(states)
    states.entry("tally/1")
    states.release(call)

    states.put(entry_of(stream="tally/3"))
    states.trim()

    assert [name for name in names(3) if states.missing(name)] == ["tally/2"]


def test_what_a_call_needs_stays() -> None:
    states = States(1, new_limit)
    states.put(entry_of(stream="tally/1"))
    bound(states)
    states.entry("tally/1")

    states.put(entry_of(stream="tally/2"))
    states.put(entry_of(stream="tally/3"))
    states.trim()

    assert [name for name in names(3) if not states.missing(name)] == ["tally/1"]


def test_what_a_call_waited_for_stays_until_it_is_done() -> None:
    states, call = States(1, new_limit), Call(total("tally/1"))
    for name in names(3):
        states.put(entry_of(stream=name))
    states.pin(call, names(4))
    states.trim()
    kept = [name for name in names(4) if not states.missing(name)]
    states.release(call)
    states.trim()

    assert kept == names(3)
    assert [name for name in names(4) if not states.missing(name)] == ["tally/3"]


@given(st.integers(1, 5), st.lists(st.integers(1, 9), max_size=30))
def test_no_more_is_kept_than_may_be(size: int, loads: list[int]) -> None:
    states = States(size, new_limit)
    for number in loads:
        if states.missing(f"tally/{number}"):
            states.put(entry_of(stream=f"tally/{number}"))
            states.trim()

    kept = [name for name in names(9) if not states.missing(name)]
    recent = list(dict.fromkeys(f"tally/{number}" for number in reversed(loads)))
    assert len(kept) == min(size, len(recent))


def test_a_thread_that_is_being_loaded_is_missing() -> None:
    states = States(10, new_limit)
    states.put(MessageEntry(("tally/1", 1)))

    assert states.missing(("tally/1", 1))
    assert states.get(("tally/1", 1)) is not None


def test_a_stream_is_forgotten_with_its_threads_and_nothing_else(states: States) -> None:
    used = IdempotencyRecord(("ann", "key", ""), b"digest", (event(1),))
    doomed = entry_of(event(1))
    states.put(doomed)
    states.put(thread_of(1, event(1)))
    states.put(used)
    states.put(IdempotencyRecord(("ann", "other", ""), b"digest", (event(1),)))
    states.put(entry_of(stream="tally/2"))

    states.forget([doomed, used])

    assert states.missing("tally/1")
    assert states.missing(("tally/1", 1))
    assert states.missing(("ann", "key", ""))
    assert not states.missing(("ann", "other", ""))
    assert not states.missing("tally/2")


def names(count: int) -> list[str]:
    return [f"tally/{number}" for number in range(1, count + 1)]


def newest(about: Sequence[Event]) -> Sequence[Event]:
    return about[-1:]
