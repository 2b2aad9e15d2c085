from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hubbub.journal.cluster.bus import SHARDS
from hubbub.journal.cluster.frames import (
    Broadcast,
    Frame,
    NodeAnswer,
    NodeRequest,
    Noticed,
    StreamEvents,
    decode_frame,
    shard_of,
)
from hubbub.journal.cluster.outbox import OUTBOX_BYTES_MAX, Outbox, Sent


def decoded(sent: Sent) -> Frame:
    shard, data = sent
    frame = decode_frame(data)
    assert frame is not None
    assert frame.shard == shard
    return frame


def test_a_commit_is_one_frame_for_each_shard() -> None:
    outbox = Outbox("me", 1000)
    streams = {f"room/{n}": (n + 1, [b"x"]) for n in range(40)}
    frames = [decoded(sent) for sent in outbox.events(streams)]

    assert sorted(frame.shard for frame in frames) == list(range(SHARDS))
    runs = [run for frame in frames for run in frame.events]
    assert {run.stream: (run.first, run.bodies) for run in runs} == streams
    assert all(shard_of(run.stream) == frame.shard for frame in frames for run in frame.events)


def test_the_frames_of_a_shard_are_numbered_and_the_heartbeat_tells_the_last_number() -> None:
    outbox = Outbox("me", 1000)
    numbers = [decoded(*outbox.events({"room/1": (n, [b"x"])})).number for n in range(1, 4)]
    beats = [decoded(sent) for sent in outbox.beats(5.0)]

    assert numbers == [1, 2, 3]
    assert [beat.number for beat in beats] == [3 * (s == shard_of("room/1")) for s in range(SHARDS)]
    assert {beat.beat for beat in beats} == {5.0}


def test_whatever_waits_goes_along_with_the_events() -> None:
    outbox = Outbox("me", 1000)
    items = (
        Noticed("room/1", b"s"),
        Broadcast("k", b"t"),
        NodeRequest("b", 1, "k", b"?"),
        NodeAnswer("b", 1, None),
    )
    for item in items:
        assert outbox.put(shard_of("room/1"), item)
    frame = decoded(*outbox.events({"room/1": (1, [b"x"])}))

    assert [*frame.signals, *frame.told, *frame.asked, *frame.answered] == list(items)
    assert list(outbox.rest()) == []


@given(st.lists(st.integers(0, 700), min_size=1, max_size=20))
def test_no_frame_is_larger_than_the_bus_allows_and_nothing_is_left_out(sizes: list[int]) -> None:
    outbox = Outbox("me", 1000)
    twins = [name for name in (f"room/{n}" for n in range(1000)) if shard_of(name) == 0]
    streams = {twins[n]: (1, [b"x" * size]) for n, size in enumerate(sizes)}
    sent = list(outbox.events(streams))

    assert all(len(data) <= 1000 for _, data in sent)
    runs = [run for one in sent for run in decoded(one).events]
    assert [run.stream for run in runs] == list(streams)


def test_events_that_fit_in_no_frame_become_a_note_of_where_the_stream_ends() -> None:
    outbox = Outbox("me", 1000)
    frame = decoded(*outbox.events({"room/1": (5, [b"x" * 600, b"y" * 600])}))

    assert frame.events == [StreamEvents("room/1", 7, [])]


def test_what_waits_is_bounded_and_more_is_dropped() -> None:
    outbox = Outbox("me", 2 * OUTBOX_BYTES_MAX)
    half = Noticed("room/1", b"x" * (OUTBOX_BYTES_MAX // 2))

    assert outbox.put(0, half)
    assert not outbox.put(0, half)
    assert outbox.put(1, half)
    assert len(list(outbox.rest())) == 2
    assert outbox.put(0, half)
