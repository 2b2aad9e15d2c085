from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any, ClassVar

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubbub.errors import NotFound
from hubbub.journal.event import (
    VERSION_CHARS_MAX,
    Data,
    Draft,
    Event,
    State,
    Streams,
    encode_event,
)
from hubbub.journal.stores.contract import Snapshot
from tests.journal.tally import NOON, STREAMS, Added, Barred, Doubted, Tally

# What JSON can hold: every text but one with half a surrogate pair.
texts = st.text(st.characters(exclude_categories=["Cs"]))
events = st.builds(
    Event,
    stream=texts.filter(bool).map(lambda name: f"tally/{name}"),
    seq=st.integers(1, 1 << 53),
    at=st.datetimes(timezones=st.just(UTC)),
    by=texts,
    ref=st.none() | st.integers(1, 1 << 53),
    data=st.builds(Added, st.integers(-(1 << 63), (1 << 63) - 1), texts)
    | st.builds(Doubted)
    | st.builds(Barred, texts),
)


@given(events)
def test_an_event_survives_its_encoding(event: Event) -> None:
    assert STREAMS.decode(encode_event(event)) == event


@given(events)
def test_an_event_may_be_decoded_where_it_lies(event: Event) -> None:
    assert STREAMS.decode(memoryview(encode_event(event))) == event


def test_an_event_is_one_flat_object() -> None:
    at = datetime(2026, 11, 23, 9, 0, 0, 123456, tzinfo=UTC)
    event = Event("tally/1", 42, at, "ann", None, Added(5, "five"))

    assert json.loads(encode_event(event)) == {
        "stream": "tally/1",
        "seq": 42,
        "at": "2026-11-23T09:00:00.123456Z",
        "by": "ann",
        "ref": None,
        "type": "added",
        "amount": 5,
        "text": "five",
    }


def test_an_event_type_without_fields_is_its_name() -> None:
    encoded = json.loads(encode_event(Event("tally/1", 2, NOON, "ann", 1, Doubted())))

    assert encoded["type"] == "doubted"
    assert encoded["ref"] == 1


def test_an_event_knows_its_type_by_its_name_on_the_wire() -> None:
    assert Event("tally/1", 1, NOON, "ann", None, Added(5, "five")).type == "added"
    assert Event("tally/1", 2, NOON, "ann", 1, Doubted()).type == "doubted"


def test_what_a_newer_version_added_to_an_event_is_passed_over() -> None:
    body = encode_event(Event("tally/1", 1, NOON, "ann", None, Added(5)))

    assert STREAMS.decode(body[:-1] + b',"colour":"red"}').data == Added(5)


def test_an_event_of_another_kind_of_stream_is_refused() -> None:
    body = encode_event(Event("index/1", 1, NOON, "ann", None, Added(5)))

    with pytest.raises(msgspec.ValidationError):
        STREAMS.decode(body)


def test_facts_cannot_be_changed() -> None:
    event = Event("tally/1", 1, NOON, "ann", None, Added(5))

    with pytest.raises(AttributeError):
        event.seq = 2  # type: ignore[misc]
    with pytest.raises(AttributeError):
        event.data.amount = 6  # type: ignore[attr-defined]


def test_a_draft_is_about_nothing_unless_it_says_so() -> None:
    assert Draft("tally/1", Added(1)).ref is None


@pytest.mark.parametrize("stream", ["tally", "tally/", "/1", "", "match/1", "Tally/1"])
def test_a_name_that_is_no_streams_is_not_found(stream: str) -> None:
    with pytest.raises(NotFound, match="use a name like room/ID"):
        STREAMS.empty(stream)
    with pytest.raises(NotFound):
        STREAMS.kind(stream)


def test_a_stream_begins_as_an_empty_state_of_its_own() -> None:
    one, other = STREAMS.empty("tally/1"), STREAMS.empty("tally/1")
    one.apply(Event("tally/1", 1, NOON, "ann", None, Barred("bob")))

    assert other == Tally()
    assert STREAMS.kind("tally/1/2") is Tally


def test_a_state_survives_its_encoding() -> None:
    state = Tally(total=7, barred={"ann", "böb"})

    assert STREAMS.decode_state("tally/1", STREAMS.encode_state(state)) == state


def test_kinds_of_several_services_make_one_registry() -> None:
    class Other(State):
        data_type: ClassVar[Any] = Barred | Doubted

    merged = Streams.merged({"tally": Tally}, {"other": Other})

    assert merged.kind("tally/1") is Tally
    assert merged.kind("other/1") is Other


def test_an_event_type_may_not_have_a_field_of_the_events_own() -> None:
    class Twice(Data, frozen=True, tag="twice"):
        seq: int

    class Wrong(State):
        data_type: ClassVar[Any] = Twice | Doubted

    with pytest.raises(AssertionError):
        Streams({"wrong": Wrong})


def test_a_state_says_itself_how_it_folds_and_who_reads() -> None:
    event = Event("tally/1", 1, NOON, "ann", None, Doubted())

    with pytest.raises(NotImplementedError):
        State().apply(event)
    with pytest.raises(NotImplementedError):
        State().check_reader("tally/1", "ann")


def test_an_event_ends_nobodys_right_to_read_unless_its_state_says_so() -> None:
    event = Event("tally/1", 1, NOON, "ann", None, Barred("bob"))

    assert State.revoked(event) is None
    assert Tally.revoked(event) == "bob"


@pytest.mark.parametrize(
    ("body", "current"),
    [
        (b"{}", True),
        (b'{"total": 1}', True),
        (b"1 {}", False),
        (b"0 {}", True),
        # Junk has no version: decoding it says what is wrong.
        (b"x {}", True),
        (b"", True),
        (b"1" * VERSION_CHARS_MAX + b" {}", True),
    ],
)
def test_a_snapshot_says_of_which_version_it_is(body: bytes, *, current: bool) -> None:
    snapshot = Snapshot("tally/1", 1, NOON, body)

    assert STREAMS.is_current("tally/1", snapshot) is current
