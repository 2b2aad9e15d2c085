"""Reserved bits, opcodes, masks and control frames: RFC 6455, sections 5.1 to 5.5."""

from __future__ import annotations

import pytest

from tests.blackbox.raw import CLOSE, CONTINUATION, PING, PONG, Raw, frame_of
from tests.blackbox.served import Served
from tests.conformance.outcomes import ANSWERED, HELLO, HELLO_TEXT, Case, closes, play

RESERVED_OPCODES = (3, 4, 5, 6, 7, 11, 12, 13, 14, 15)

WRONG = [
    *(Case(f"the reserved bits {bits}", closes(1002), (frame_of(HELLO, reserved=bits),))
      for bits in range(1, 8)),
    Case("a reserved bit on a ping", closes(1002), (frame_of(b"", PING, reserved=4),)),
    Case("a reserved bit on a continuation", closes(1002), (
        frame_of(HELLO[:5], final=False), frame_of(HELLO[5:], CONTINUATION, reserved=1))),
    *(Case(f"the opcode {opcode}", closes(1002), (frame_of(b"", opcode),))
      for opcode in RESERVED_OPCODES),
    Case("a reserved opcode whose payload never comes", closes(1002), (
        frame_of(bytes(1_000), 3)[:8],)),
    Case("a text without a mask", closes(1002), (frame_of(HELLO, masked=False),)),
    Case("a ping of two bytes without a mask", closes(1002), (
        frame_of(b"", PING, masked=False),)),
    Case("a close of four bytes without a mask", closes(1002), (
        frame_of((1_000).to_bytes(2, "big"), CLOSE, masked=False),)),
    Case("a ping of 126 bytes", closes(1002), (frame_of(bytes(126), PING),)),
    Case("a ping of 126 bytes that never come", closes(1002), (frame_of(bytes(126), PING)[:8],)),
    Case("a ping with a long size", closes(1002), (frame_of(b"hello", PING, size_bits=16),)),
    Case("a ping in fragments", closes(1002), (
        frame_of(b"", PING, final=False), frame_of(b"", CONTINUATION))),
]  # fmt: skip

CONTROL = [
    Case("a ping", (("pong", "open"),), (frame_of(b"", PING),)),
    Case("a ping of 125 bytes", (("pong 125", "open"),), (frame_of(b"\xff" * 125, PING),)),
    Case("a ping byte by byte", (("pong 3", "open"),), tuple(
        bytes([byte]) for byte in frame_of(b"abc", PING))),
    Case("ten pings in one segment", ((*(f"pong {size}" for size in range(1, 11)), "open"),), (
        b"".join(frame_of(bytes(size), PING) for size in range(1, 11)),)),
    Case("a pong that nobody has asked for", (ANSWERED,), (frame_of(b"?", PONG) + HELLO_TEXT,)),
]  # fmt: skip


@pytest.mark.parametrize("case", WRONG, ids=lambda case: case.name)
def test_a_wrong_frame_ends_the_connection(server: Served, case: Case) -> None:
    with Raw(server.port) as client:
        assert play(client, case) in case.right


@pytest.mark.parametrize("case", CONTROL, ids=lambda case: case.name)
def test_a_control_frame_is_answered(server: Served, case: Case) -> None:
    with Raw(server.port) as client:
        assert play(client, case) in case.right


def test_a_pong_has_the_payload_of_its_ping(server: Served) -> None:
    payload = bytes(range(125))
    with Raw(server.port) as client:
        client.upgrade(frame_of(payload, PING))

        assert client.frame() == (PONG, payload)


@pytest.mark.parametrize("size", [0, 1, 125])
def test_the_servers_frames_have_no_mask(server: Served, size: int) -> None:
    with Raw(server.port) as client:
        client.upgrade(frame_of(bytes(size), PING))
        client.half_close()

        assert client.read_to_the_end().startswith(bytes((0x80 | PONG, size)))
