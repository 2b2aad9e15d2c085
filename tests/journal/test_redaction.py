from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubbub.chat.events import Deleted, Edited, Joined, Reacted, Said
from hubbub.journal.event import Data, Event, Streams, encode_event, tag_of
from hubbub.journal.live.following import Tail
from hubbub.journal.live.topic import Follower, Topic
from hubbub.journal.redaction import read_shown, takes_back
from hubbub.journal.stores.contract import Batch, Record
from tests.features import STREAMS as KINDS
from tests.journal.tally import NOON, memory_store

STREAMS = Streams(KINDS)
SECRET = "hunter2"

about_messages = st.sampled_from([Edited(SECRET), Reacted("👍"), Deleted()])
by_themselves = st.sampled_from([Said(SECRET), Said("hi", 1), Joined()])


@st.composite
def events(draw: st.DrawFn) -> list[Event]:
    """Draw a room's events, as they can be decided: nothing comes about what was deleted."""
    found, there = list[Event](), list[int]()
    for seq in range(1, draw(st.integers(0, 12)) + 1):
        ref = draw(st.none() | st.sampled_from(there)) if there else None
        data: Data = draw(by_themselves if ref is None else about_messages)
        if isinstance(data, Said):
            there.append(seq)
        if isinstance(data, Deleted) and ref is not None:
            there.remove(ref)
        found.append(Event("room/1", seq, NOON, "ann", ref, data))
    return found


def records_of(events: Sequence[Event]) -> list[Record]:
    return [
        Record(e.stream, e.seq, tag_of(type(e.data)), e.by, e.ref, encode_event(e)) for e in events
    ]


def shown(events: Sequence[Event]) -> list[bytes]:
    """Say what may be seen, by looking at all there is."""
    deleted = {e.ref for e in events if isinstance(e.data, Deleted)}
    return [
        STREAMS.redact(encode_event(e)) if {e.seq, e.ref} & deleted else encode_event(e)
        for e in events
    ]


def test_a_redacted_event_is_the_same_without_its_words() -> None:
    said = Event("room/1", 7, NOON, "ann", None, Said(SECRET, 3))
    edited = Event("room/1", 8, NOON, "ann", 7, Edited(SECRET))

    assert STREAMS.decode(STREAMS.redact(encode_event(said))) == Event(
        "room/1", 7, NOON, "ann", None, Said("", 3)
    )
    assert STREAMS.decode(STREAMS.redact(encode_event(edited))).data == Edited("")


@pytest.mark.parametrize("kept", [Reacted("👍"), Joined(), Deleted()])
def test_what_has_no_words_is_shown_as_it_is(kept: Data) -> None:
    body = encode_event(Event("room/1", 7, NOON, "ann", 3, kept))

    assert STREAMS.redact(body) == body


@given(events(), st.integers(0, 12), st.integers(1, 12))
def test_what_was_taken_back_is_read_without_its_words(
    events: list[Event], after: int, limit: int
) -> None:
    store = memory_store()
    store.commit(Batch(records_of(events)))

    read = read_shown(store, STREAMS, "room/1", after, limit)
    assert read == shown(events)[after : after + limit]


@given(events())
def test_a_tail_is_redacted_as_the_store_is(events: list[Event]) -> None:
    topic = Topic(0)
    for event, record in zip(events, records_of(events), strict=True):
        topic.publish([record.body])
        if event.ref is not None and takes_back(STREAMS, event):
            topic.redact(event.ref, STREAMS.redact)

    assert list(topic.since(0)) == shown(events)


def test_a_stream_of_another_kind_is_not_redacted() -> None:
    event = Event("user/ann", 1, NOON, "ann", None, Deleted())

    assert not takes_back(STREAMS, event)


def test_a_tail_counts_its_bytes_and_makes_its_batches_anew() -> None:
    topic = Topic(0)
    said = Event("room/1", 1, NOON, "ann", None, Said(SECRET * 100))
    topic.publish([encode_event(said)])
    before, _ = topic.batch(0, b"".join)
    topic.redact(1, STREAMS.redact)
    after, _ = topic.batch(0, b"".join)

    assert SECRET.encode() in before
    assert SECRET.encode() not in after
    assert topic._tail_bytes == len(after)


async def test_what_was_read_while_it_was_taken_back_is_not_kept_for_others() -> None:
    topic, said = Topic(1), Event("room/1", 1, NOON, "ann", None, Said(SECRET))

    async def read(stream: str, after: int, limit: int) -> list[bytes]:
        topic.redact(1, STREAMS.redact)
        return [encode_event(said)]

    await Tail("room/1", topic, Follower("bob", 0), read).older(0)

    assert (topic.base, topic.head) == (1, 1)


async def test_what_was_read_in_peace_is_kept_for_others() -> None:
    topic, said = Topic(1), Event("room/1", 1, NOON, "ann", None, Said(SECRET))

    async def read(stream: str, after: int, limit: int) -> list[bytes]:
        return [encode_event(said)]

    await Tail("room/1", topic, Follower("bob", 0), read).older(0)
    assert list(topic.since(0)) == [encode_event(said)]
    topic.redact(1, STREAMS.redact)
    assert SECRET.encode() not in topic.since(0)[0]
