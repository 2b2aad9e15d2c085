"""
WebSocket frames of the server's side: RFC 6455, section 5. No I/O, no extensions.

A server's frames are not masked, so a frame is made once and sent to everybody.
"""

from __future__ import annotations

import base64
import hashlib
import struct
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

try:
    from websockets.speedups import apply_mask
except ImportError:
    # There is no compiled version for this machine.
    from websockets.utils import apply_mask

from ..wire.messages import SUBPROTOCOL

__all__ = ["BINARY", "CLOSE", "OVERSIZE", "PING", "PONG", "TEXT", "FrameError", "Frames", "frame"]

CONTINUATION: Final = 0x0
TEXT: Final = 0x1
BINARY: Final = 0x2
CLOSE: Final = 0x8
PING: Final = 0x9
PONG: Final = 0xA
# Not of the RFC: a message that was too large, and was passed over.
OVERSIZE: Final = 0x10

# The first byte of a text message that is one frame.
WHOLE_TEXT: Final = 0x80 | TEXT

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
KEY_BYTES = 24
PROTOCOL = SUBPROTOCOL.encode()
ACCEPTANCE = (
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Accept: %b\r\n%b\r\n"
)
REFUSAL = (
    b"HTTP/1.1 426 Upgrade Required\r\nSec-WebSocket-Version: 13\r\n"
    b"Connection: close\r\nContent-Length: 0\r\n\r\n"
)
CONTROL_BYTES_MAX = 125
# A larger message is not passed over but ends the connection.
SKIPPED_BYTES_MAX = 16 * 1024 * 1024


class FrameError(Exception):
    """The peer broke the protocol; the connection is closed with this code."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


def frame(payload: bytes, opcode: int = TEXT) -> bytes:
    """Make a whole frame."""
    size = len(payload)
    if size < 126:
        return bytes((0x80 | opcode, size)) + payload
    if size < 65_536:
        return struct.pack("!BBH", 0x80 | opcode, 126, size) + payload
    return struct.pack("!BBQ", 0x80 | opcode, 127, size) + payload


def close_frame(code: int, reason: str) -> bytes:
    """Make a close frame."""
    # Cut between characters, not in one.
    text = reason.encode()[: CONTROL_BYTES_MAX - 2].decode(errors="ignore")
    return frame(struct.pack("!H", code) + text.encode(), CLOSE)


class Answer(NamedTuple):
    """The answer to an opening handshake."""

    accepted: bool
    head: bytes


def accept(headers: Iterable[tuple[bytes, bytes]]) -> Answer:
    """
    Answer an opening handshake: RFC 6455, section 4.2.

    Args:
        headers: names in lower case, and values.
    """
    fields = dict(headers)
    key = fields.get(b"sec-websocket-key", b"")
    if fields.get(b"sec-websocket-version") != b"13" or len(key) != KEY_BYTES:
        return Answer(accepted=False, head=REFUSAL)
    digest = base64.b64encode(hashlib.sha1(key + GUID, usedforsecurity=False).digest())
    offered = fields.get(b"sec-websocket-protocol", b"").replace(b" ", b"").split(b",")
    protocol = b"Sec-WebSocket-Protocol: " + PROTOCOL + b"\r\n" if PROTOCOL in offered else b""
    return Answer(accepted=True, head=ACCEPTANCE % (digest, protocol))


class Frames:
    """
    Reads a client's frames.

    Args:
        bytes_max: the largest message; a larger one is passed over, and told as OVERSIZE.
    """

    __slots__ = ("_buffer", "_bytes_max", "_opcode", "_parts", "_size", "_skip")

    def __init__(self, bytes_max: int) -> None:
        self._bytes_max = bytes_max
        self._buffer = b""
        # A message that comes in fragments: its opcode, what is there of it, and how much.
        self._opcode = 0
        self._parts: list[bytes] | None = None
        self._size = 0
        # Bytes of an oversize frame that are still to come.
        self._skip = 0

    def feed(self, data: bytes) -> Iterator[tuple[int, bytes]]:
        """
        Read what came; yield (opcode, payload) of each whole message.

        Raises:
            FrameError: the client broke the protocol.
        """
        if self._buffer:
            data = self._buffer + data
            self._buffer = b""
        at, end = 0, len(data)
        while True:
            if self._skip:
                skipped = min(self._skip, end - at)
                self._skip -= skipped
                at += skipped
            if end - at < 6:
                break
            head, size, start = _header(data, at, end)
            if start < 0:
                break
            if head != WHOLE_TEXT:
                _check(head, size)
            if size > self._bytes_max and not head & 0x08:
                yield from self._pass_over(head, size)
                at, self._skip = start, size
                continue
            if end - start < size:
                break
            payload = apply_mask(data[start : start + size], data[start - 4 : start])
            at = start + size
            # The one case that matters for speed.
            if head == WHOLE_TEXT and self._parts is None:
                yield TEXT, payload
            else:
                yield from self._take(head, payload)
        self._buffer = data[at:]

    def _take(self, head: int, payload: bytes) -> Iterator[tuple[int, bytes]]:
        opcode, final = head & 0x0F, bool(head & 0x80)
        if opcode >= CLOSE:
            yield opcode, payload
            return
        self._continue(opcode, len(payload))
        assert self._parts is not None
        # Empty ones are not kept: there may be any number of them.
        if payload and self._size <= self._bytes_max:
            self._parts.append(payload)
        if final:
            whole, opcode = b"".join(self._parts), self._opcode
            oversize = self._size > self._bytes_max
            self._parts = None
            yield (OVERSIZE, b"") if oversize else (opcode, whole)

    def _pass_over(self, head: int, size: int) -> Iterator[tuple[int, bytes]]:
        opcode, final = head & 0x0F, bool(head & 0x80)
        self._continue(opcode, size)
        if final:
            self._parts = None
            yield OVERSIZE, b""

    def _continue(self, opcode: int, size: int) -> None:
        if opcode == CONTINUATION:
            if self._parts is None:
                raise FrameError(1002, "nothing to continue")
        elif opcode in (TEXT, BINARY):
            if self._parts is not None:
                raise FrameError(1002, "a message within a message")
            self._opcode, self._parts, self._size = opcode, [], 0
        else:
            raise FrameError(1002, "unknown opcode")
        self._size += size
        if self._size > SKIPPED_BYTES_MAX:
            raise FrameError(1009, "message too big")


def _check(head: int, size: int) -> None:
    """Refuse a bad frame at its header: its payload would be waited for."""
    if head & 0x70:
        raise FrameError(1002, "reserved bits are set")
    opcode, final = head & 0x0F, bool(head & 0x80)
    if opcode >= CLOSE and (opcode > PONG or not final or size > CONTROL_BYTES_MAX):
        raise FrameError(1002, "bad control frame")


def _header(data: bytes, at: int, end: int) -> tuple[int, int, int]:
    """Read a header: first byte, size, where the payload starts (-1: not all is there)."""
    head, size = data[at], data[at + 1]
    if not size & 0x80:
        raise FrameError(1002, "a client's frames are masked")
    size &= 0x7F
    if size < 126:
        return head, size, at + 6
    if size == 126:
        if end - at < 8:
            return head, 0, -1
        return head, (data[at + 2] << 8) | data[at + 3], at + 8
    if end - at < 14:
        return head, 0, -1
    [size] = struct.unpack_from("!Q", data, at + 2)
    return head, size, at + 14
