from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from msgspec.msgpack import encode

from hubbub.journal.cluster.bus import SHARDS
from hubbub.journal.cluster.frames import (
    FRAME_BYTES_MAX,
    NODE_CHARS_MAX,
    Broadcast,
    Frame,
    NodeAnswer,
    NodeRequest,
    Noticed,
    StreamEvents,
    decode_frame,
    encode_frame,
    shard_of,
)

bodies = st.binary(max_size=20)
numbers = st.integers(1, 2**53)
frames = st.builds(
    Frame,
    node=st.text(min_size=1, max_size=NODE_CHARS_MAX),
    shard=st.integers(0, SHARDS - 1),
    number=numbers,
    beat=st.none() | st.floats(allow_nan=False),
    events=st.lists(st.builds(StreamEvents, st.text(), numbers, st.lists(bodies)), max_size=3),
    signals=st.lists(st.builds(Noticed, st.text(), bodies), max_size=3),
    told=st.lists(st.builds(Broadcast, st.text(), bodies), max_size=3),
    asked=st.lists(st.builds(NodeRequest, st.text(), numbers, st.text(), bodies), max_size=3),
    answered=st.lists(st.builds(NodeAnswer, st.text(), numbers, st.none() | bodies), max_size=3),
)


@given(frames)
def test_a_frame_comes_out_as_it_went_in(frame: Frame) -> None:
    assert decode_frame(encode_frame(frame)) == frame


@given(st.binary(max_size=100) | frames.map(encode_frame).map(lambda data: data[:-1]))
def test_rubbish_is_no_frame_and_raises_nothing(data: bytes) -> None:
    assert decode_frame(data) is None


@given(frames, st.data())
def test_a_damaged_frame_raises_nothing(frame: Frame, data: st.DataObject) -> None:
    encoded = bytearray(encode_frame(frame))
    encoded[data.draw(st.integers(0, len(encoded) - 1))] = data.draw(st.integers(0, 255))

    assert isinstance(decode_frame(bytes(encoded)), Frame | None)


def test_a_frame_outside_its_limits_is_refused() -> None:
    good = ["a", 0, 1]
    assert decode_frame(encode(good)) == Frame("a", 0, 1)

    for bad in (
        ["", 0, 1],
        ["a" * (NODE_CHARS_MAX + 1), 0, 1],
        ["a", SHARDS, 1],
        ["a", -1, 1],
        ["a", 0, 0],
        ["a", 0, 1, None, [["room/1", 0, []]]],
        [*good, None, [], [["room/1", b"x" * FRAME_BYTES_MAX]]],
    ):
        assert decode_frame(encode(bad)) is None


def test_deep_nesting_is_refused() -> None:
    assert decode_frame(b"\x94\xa1a\x00\x01" + b"\x91" * 100_000) is None


def test_a_frame_of_a_later_release_is_read_as_far_as_it_is_known() -> None:
    events = [["room/1", 1, [b"x"], "new"]]
    later = decode_frame(encode(["a", 0, 1, None, events, [], [], [], [], "new"]))

    assert later is not None
    assert later.events == [StreamEvents("room/1", 1, [b"x"])]


def test_a_stream_has_the_same_shard_on_every_machine() -> None:
    assert [shard_of(name) for name in ("room/1", "room/lobby", "match/ü")] == [4, 5, 3]
