"""Frames, against the framing of another implementation."""

from __future__ import annotations

import contextlib
import sys
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.client import ClientProtocol
from websockets.exceptions import ProtocolError
from websockets.frames import Close, Frame, Opcode
from websockets.protocol import State
from websockets.uri import parse_uri

from hubbub.server.websocket.frames import (
    BINARY,
    CLOSE,
    CONTROL_BYTES_MAX,
    OVERSIZE,
    PIECES_MAX,
    PING,
    SKIPPED_BYTES_MAX,
    TEXT,
    FrameError,
    Frames,
    close_frame,
    frame,
)
from tests.server.raw_client import masked


def client() -> ClientProtocol:
    """Make a client whose handshake is over."""
    return ClientProtocol(parse_uri("ws://localhost/"), state=State.OPEN, max_size=None)


def sent(protocol: ClientProtocol) -> bytes:
    return b"".join(protocol.data_to_send())


@given(st.lists(st.text(max_size=300), max_size=5), st.lists(st.integers(1, 50), max_size=40))
def test_messages_come_out_however_they_are_cut(texts: list[str], cuts: list[int]) -> None:
    protocol, frames = client(), Frames(bytes_max=10_000)
    for text in texts:
        protocol.send_text(text.encode())
    data, got = sent(protocol), []
    for cut in cuts:
        got += list(frames.feed(data[:cut]))
        data = data[cut:]
    got += list(frames.feed(data))

    assert got == [(TEXT, text.encode()) for text in texts]


@given(st.lists(st.binary(max_size=50), min_size=2, max_size=6))
def test_fragments_are_put_together_with_a_ping_in_between(parts: list[bytes]) -> None:
    protocol, frames = client(), Frames(bytes_max=10_000)
    protocol.send_binary(parts[0], fin=False)
    protocol.send_ping(b"there?")
    for part in parts[1:-1]:
        protocol.send_continuation(part, fin=False)
    protocol.send_continuation(parts[-1], fin=True)

    assert list(frames.feed(sent(protocol))) == [(PING, b"there?"), (BINARY, b"".join(parts))]


@pytest.mark.parametrize("size", [0, 125, 126, 65_535, 65_536, 200_000])
def test_a_frame_of_any_size_is_read_by_another_implementation(size: int) -> None:
    protocol = client()
    protocol.receive_data(frame(b"x" * size))
    [event] = protocol.events_received()

    assert isinstance(event, Frame)
    assert (event.opcode, len(event.data)) == (Opcode.TEXT, size)


@pytest.mark.parametrize("size", [70, 200, 70_000])
def test_what_is_too_large_is_passed_over_and_told(size: int) -> None:
    protocol, frames = client(), Frames(bytes_max=64)
    protocol.send_text(b"x" * size)
    protocol.send_text(b"next")
    data = sent(protocol)
    got = [
        message
        for at in range(0, len(data), 1_000)
        for message in frames.feed(data[at : at + 1_000])
    ]

    assert got == [(OVERSIZE, b""), (TEXT, b"next")]


def test_fragments_that_are_too_large_together_are_passed_over() -> None:
    protocol, frames = client(), Frames(bytes_max=64)
    protocol.send_text(b"x" * 40, fin=False)
    protocol.send_continuation(b"x" * 40, fin=True)
    protocol.send_text(b"next")

    assert list(frames.feed(sent(protocol))) == [(OVERSIZE, b""), (TEXT, b"next")]


def test_empty_fragments_cost_nothing() -> None:
    frames = Frames(bytes_max=64)
    list(frames.feed(masked(0x01, b"a")))
    for _ in range(1_000):
        assert list(frames.feed(masked(0x00, b""))) == []
    kept = len(frames._parts or ())
    [message] = frames.feed(masked(0x80, b"b"))

    assert kept == 1
    assert message == (TEXT, b"ab")


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"\x81\x02{}" + bytes(4), 1002),
        (masked(0xC1, b"a"), 1002),
        (masked(0x83, b"a"), 1002),
        (masked(0x80, b"a"), 1002),
        (masked(0x01, b"a") + masked(0x01, b"b"), 1002),
        (masked(0x09, b"a"), 1002),
        (masked(0x8B, b"a"), 1002),
        (b"\x81\xff" + (SKIPPED_BYTES_MAX + 1).to_bytes(8, "big") + bytes(4), 1009),
        (b"\x89\xfe" + (CONTROL_BYTES_MAX + 1).to_bytes(2, "big") + bytes(4 + 126), 1002),
        (b"\x89\xff" + (1 << 40).to_bytes(8, "big") + bytes(4), 1002),
        (b"\xc1\xfe" + (1_000).to_bytes(2, "big") + bytes(4), 1002),
        (b"\x89\xfe", 1002),
        (b"\x89\x00", 1002),
        (b"\x81\xfe" + (125).to_bytes(2, "big") + bytes(4 + 125), 1002),
        (b"\x81\xff" + (65_535).to_bytes(8, "big") + bytes(4), 1002),
        (b"\x81\xff" + b"\xff" * 8 + bytes(4), 1009),
        (b"\x81\xff" + b"\xff" * 8, 1009),
        (b"\x81\xfe" + (125).to_bytes(2, "big"), 1002),
        (b"\x80\x85", 1002),
        (masked(0x01, b"a") + b"\x81\x85", 1002),
        (b"\x80\xff" + b"\xff" * 8, 1002),
        (masked(0x88, b"\x03"), 1002),
        (masked(0x88, (1005).to_bytes(2, "big")), 1002),
        (masked(0x88, b"\x03\xe8\xff"), 1007),
        (masked(0x81, b"\xed\xa0\x80"), 1007),
        (masked(0x01, b"\xce") + masked(0x80, b" "), 1007),
        (masked(0x01, b"a") + masked(0x80, b"\xe2\x82"), 1007),
    ],
    ids=[
        "no mask", "reserved bits", "unknown opcode", "nothing to continue", "two at once",
        "a control frame in parts", "unknown control frame", "far too large", "a long ping",
        "a ping that never ends", "reserved bits of a frame that is passed over",
        "a long ping, two bytes of it", "no mask, two bytes", "16 bits for a size of 7",
        "64 bits for a size of 16", "a size that nothing has",
        "a size that nothing has, without its mask",
        "16 bits for a size of 7, without its mask", "nothing to continue, two bytes of it",
        "two at once, two bytes of the second", "nothing to continue with a size that nothing has",
        "half a close code",
        "a close code that is never sent", "a reason that is not UTF-8", "half a surrogate pair",
        "a wrong character across fragments", "half a character at the end",
    ],
)  # fmt: skip
def test_who_breaks_the_protocol_is_told_how(data: bytes, code: int) -> None:
    with pytest.raises(FrameError) as caught:
        list(Frames(bytes_max=64).feed(data))

    assert caught.value.code == code


def test_a_close_frame_has_its_code_and_reason() -> None:
    protocol = client()
    protocol.receive_data(close_frame(3000, "come back" * 50))

    assert protocol.close_rcvd is not None
    assert protocol.close_rcvd.code == 3000
    assert protocol.close_rcvd.reason.startswith("come back")


def test_a_long_reason_is_cut_between_characters() -> None:
    protocol = client()
    protocol.receive_data(close_frame(3000, "x" + "ü" * 100))

    assert protocol.close_rcvd is not None
    assert protocol.close_rcvd.reason == "x" + "ü" * 61


def test_a_close_is_read() -> None:
    protocol, frames = client(), Frames(bytes_max=64)
    protocol.send_close(1000, "bye")

    assert list(frames.feed(sent(protocol))) == [(CLOSE, b"\x03\xe8bye")]


@pytest.mark.parametrize("first", ["a close", "a fault"])
def test_nothing_is_read_behind_the_end(first: str) -> None:
    frames = Frames(bytes_max=64)
    end = masked(0x88, b"\x03\xe8") if first == "a close" else masked(0xC1, b"a")
    got = []
    with contextlib.suppress(FrameError):
        got += list(frames.feed(end + masked(0x81, b"in the same segment")))
    got += list(frames.feed(masked(0x81, b"later")))

    assert got == ([(CLOSE, b"\x03\xe8")] if first == "a close" else [])


def test_a_close_code_is_good_where_the_rfc_or_its_registry_says_so() -> None:
    """The other implementation knows the registry."""
    assert {code for code in range(1 << 16) if taken(code)} == set(filter(good, range(1 << 16)))


def taken(code: int) -> bool:
    try:
        list(Frames(bytes_max=64).feed(masked(0x88, code.to_bytes(2, "big"))))
    except FrameError:
        return False
    return True


def good(code: int) -> bool:
    try:
        Close(code, "").check()
    except ProtocolError:
        return False
    return True


@given(st.binary(max_size=20), st.lists(st.integers(0, 20), max_size=4))
def test_a_text_is_utf_8_however_it_is_cut_into_fragments(text: bytes, cuts: list[int]) -> None:
    ends = sorted({0, len(text), *(cut for cut in cuts if cut < len(text))})
    parts = [text[start:end] for start, end in pairwise(ends)] or [b""]
    heads = [0x01, *[0x00] * (len(parts) - 1)]
    heads[-1] |= 0x80
    sent = b"".join(masked(head, part) for head, part in zip(heads, parts, strict=True))
    try:
        text.decode()
        wanted: object = [(TEXT, text)]
    except UnicodeDecodeError:
        wanted = 1007
    try:
        got: object = list(Frames(bytes_max=64).feed(sent))
    except FrameError as error:
        got = error.code

    assert got == wanted


def test_a_message_of_small_fragments_takes_no_more_memory_than_a_whole_one() -> None:
    frames = Frames(bytes_max=65_536)
    list(frames.feed(masked(0x01, b"ab")))
    for _ in range(10_000):
        list(frames.feed(masked(0x00, b"ab")))

    assert sys.getsizeof(frames._parts) < 2 * 20_002


def test_a_frame_that_comes_in_small_pieces_takes_no_more_memory_than_a_whole_one() -> None:
    frames, size = Frames(bytes_max=65_536), 20_000
    data = b"\x81\xfe" + size.to_bytes(2, "big") + bytes(4) + b"ab" * (size // 2)
    for at in range(0, len(data) - 2, 2):
        assert list(frames.feed(data[at : at + 2])) == []
    pieces = frames._pieces or []

    assert len(pieces) <= PIECES_MAX
    assert sum(map(sys.getsizeof, pieces)) < size + 100 * PIECES_MAX
    assert list(frames.feed(data[-2:])) == [(TEXT, b"ab" * (size // 2))]
