"""Frames, against the framing of another implementation."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.protocol import State
from websockets.uri import parse_uri

from hubbub.server.frames import (
    CLOSE,
    CONTROL_BYTES_MAX,
    OVERSIZE,
    PING,
    SKIPPED_BYTES_MAX,
    TEXT,
    FrameError,
    Frames,
    accept,
    close_frame,
    frame,
)
from tests.server.raw_client import masked

KEY = b"dGhlIHNhbXBsZSBub25jZQ=="


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
    protocol.send_text(parts[0], fin=False)
    protocol.send_ping(b"there?")
    for part in parts[1:-1]:
        protocol.send_continuation(part, fin=False)
    protocol.send_continuation(parts[-1], fin=True)

    assert list(frames.feed(sent(protocol))) == [(PING, b"there?"), (TEXT, b"".join(parts))]


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
    ],
    ids=[
        "no mask", "reserved bits", "unknown opcode", "nothing to continue", "two at once",
        "a control frame in parts", "unknown control frame", "far too large", "a long ping",
        "a ping that never ends", "reserved bits of a frame that is passed over",
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


def test_the_handshake_is_that_of_the_rfc() -> None:
    headers = [(b"sec-websocket-key", KEY), (b"sec-websocket-version", b"13")]
    answer = accept([*headers, (b"sec-websocket-protocol", b"other, hubbub.v1")])

    assert answer.accepted
    assert b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n" in answer.head
    assert b"Sec-WebSocket-Protocol: hubbub.v1\r\n" in answer.head


@pytest.mark.parametrize(
    "headers",
    [
        [(b"sec-websocket-key", KEY), (b"sec-websocket-version", b"8")],
        [(b"sec-websocket-version", b"13")],
        [(b"sec-websocket-key", b"short"), (b"sec-websocket-version", b"13")],
    ],
    ids=["another version", "no key", "a bad key"],
)
def test_a_bad_handshake_is_refused(headers: list[tuple[bytes, bytes]]) -> None:
    answer = accept(headers)

    assert not answer.accepted
    assert answer.head.startswith(b"HTTP/1.1 426")
