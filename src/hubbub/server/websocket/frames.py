"""
WebSocket frames of the server's side: RFC 6455, section 5. No I/O, no extensions.

A server's frames are not masked, so the server makes a frame once and sends it to all clients.

This module reads the frames of clients itself, for two reasons. It skips and answers a message
that is too large, where libraries keep its beginning and hang up. And it refuses a frame that
can never be valid at its header, where libraries wait for the payload.
"""

from __future__ import annotations

import codecs
import struct
from collections.abc import Iterator
from typing import Final

try:
    from websockets.speedups import apply_mask
except ImportError:
    # There is no compiled version for this machine.
    from websockets.utils import apply_mask

__all__ = ["BINARY", "CLOSE", "OVERSIZE", "PING", "PONG", "TEXT", "FrameError", "Frames", "frame"]

CONTINUATION: Final = 0x0
TEXT: Final = 0x1
BINARY: Final = 0x2
CLOSE: Final = 0x8
PING: Final = 0x9
PONG: Final = 0xA
# Not in the RFC: a message that was too large, and was skipped.
OVERSIZE: Final = 0x10

# The first byte of a text message that is one frame.
WHOLE_TEXT: Final = 0x80 | TEXT

# The payload of a ping, a pong or a close frame, in bytes: RFC 6455, section 5.5.
CONTROL_BYTES_MAX = 125
# Bytes of a message that is too large, which the server skips; a message larger than this ends
# the connection.
SKIPPED_BYTES_MAX = 16 * 1024 * 1024
# Pieces of one frame that are kept as they arrived: each costs more than its bytes.
PIECES_MAX = 64
# Close codes that a client can send: the codes of the RFC and of IANA's registry, and the ranges
# for libraries (3000 to 3999) and applications (4000 to 4999).
CLOSE_CODES = frozenset({*range(1000, 1004), *range(1007, 1015), *range(3000, 5000)})


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


class Frames:
    """
    Reads a client's frames.

    Args:
        bytes_max: the largest message; a larger one is skipped, and yields OVERSIZE.
    """

    __slots__ = (
        "_bytes_max",
        "_characters",
        "_missing",
        "_opcode",
        "_parts",
        "_pieces",
        "_size",
        "_skip",
    )

    def __init__(self, bytes_max: int) -> None:
        self._bytes_max = bytes_max
        # The pieces of a frame that have come, and the least number of bytes that are missing.
        # None if no more is read: after a close frame, or after a fault.
        self._pieces: list[bytes] | None = []
        self._missing = 0
        # A message in fragments: its opcode, the part that has come, and the size of it.
        self._opcode = 0
        self._parts: bytearray | None = None
        self._size = 0
        # Decodes a text in fragments, which may be cut anywhere.
        self._characters: codecs.IncrementalDecoder | None = None
        # Bytes of an oversize frame that are missing.
        self._skip = 0

    def feed(self, data: bytes) -> Iterator[tuple[int, bytes]]:
        """
        Read bytes; yield (opcode, payload) of each whole message.

        This reads nothing after a close frame, nor after a fault.

        Raises:
            FrameError: the client broke the protocol.
        """
        data = self._with_pieces(data)
        if not data:
            return
        # Set again at the end: if this raises, no more will be read.
        self._pieces = None
        end = len(data)
        at = self._skip_over(0, end)
        while end - at >= 2:
            if data[at] != WHOLE_TEXT or self._parts is not None:
                self._check_order(data[at] & 0x0F)
            head, size, start = _header(data, at, end)
            if start < 0:
                self._missing = 1
                break
            if size > self._bytes_max and not head & 0x08:
                yield from self._pass_over(head, size)
                self._skip = size
                at = self._skip_over(start, end)
                continue
            if end - start < size:
                self._missing = start + size - end
                break
            payload = apply_mask(data[start : start + size], data[start - 4 : start])
            at = start + size
            # The one case that matters for speed.
            if head == WHOLE_TEXT and self._parts is None:
                if not payload.isascii():
                    _check_characters(payload)
                yield TEXT, payload
            else:
                yield from self._take(head, payload)
                if head & 0x0F == CLOSE:
                    return
        else:
            # The two bytes that every header begins with.
            self._missing = 2 - (end - at)
        self._pieces = [data[at:]] if at < end else []

    def _with_pieces(self, data: bytes) -> bytes:
        """Return all bytes, or none while a part of the frame is certainly missing."""
        pieces = self._pieces
        if pieces is None:
            return b""
        if not pieces:
            return data
        if len(data) >= self._missing:
            return b"".join((*pieces, data))
        pieces.append(data)
        self._missing -= len(data)
        if len(pieces) > PIECES_MAX:
            pieces[:] = [b"".join(pieces)]
        return b""

    def _skip_over(self, at: int, end: int) -> int:
        skipped = min(self._skip, end - at)
        self._skip -= skipped
        return at + skipped

    def _take(self, head: int, payload: bytes) -> Iterator[tuple[int, bytes]]:
        opcode, final = head & 0x0F, bool(head & 0x80)
        if opcode >= CLOSE:
            if opcode == CLOSE:
                _check_close(payload)
            yield opcode, payload
            return
        self._continue(opcode, len(payload))
        assert self._parts is not None
        if self._size <= self._bytes_max:
            self._check_text(payload, final=final)
            self._parts += payload
        if final:
            whole, opcode = bytes(self._parts), self._opcode
            oversize = self._size > self._bytes_max
            self._parts = self._characters = None
            yield (OVERSIZE, b"") if oversize else (opcode, whole)

    def _pass_over(self, head: int, size: int) -> Iterator[tuple[int, bytes]]:
        opcode, final = head & 0x0F, bool(head & 0x80)
        self._continue(opcode, size)
        if final:
            self._parts = self._characters = None
            yield OVERSIZE, b""

    def _continue(self, opcode: int, size: int) -> None:
        if opcode != CONTINUATION:
            self._opcode, self._parts, self._size = opcode, bytearray(), 0
        self._size += size
        if self._size > SKIPPED_BYTES_MAX:
            raise FrameError(1009, "message too big")

    def _check_order(self, opcode: int) -> None:
        if opcode == CONTINUATION:
            if self._parts is None:
                raise FrameError(1002, "nothing to continue")
        elif opcode < CLOSE and self._parts is not None:
            raise FrameError(1002, "a message within a message")

    def _check_text(self, payload: bytes, *, final: bool) -> None:
        if self._opcode != TEXT:
            return
        if self._characters is None:
            self._characters = codecs.getincrementaldecoder("utf-8")()
        try:
            self._characters.decode(payload, final)
        except UnicodeDecodeError as error:
            raise _not_utf_8() from error


def _header(data: bytes, at: int, end: int) -> tuple[int, int, int]:
    """
    Read a header: first byte, size, where the payload starts (-1: not all is there).

    A frame that can never be valid is refused with the first byte that shows it.
    """
    head, size = data[at], data[at + 1]
    if not size & 0x80:
        raise FrameError(1002, "a client's frames are masked")
    size &= 0x7F
    if head != WHOLE_TEXT:
        _check(head, size)
    if size < 126:
        return head, size, at + 6 if end - at >= 6 else -1
    if size == 126:
        if end - at < 4:
            return head, 0, -1
        size, least, start = (data[at + 2] << 8) | data[at + 3], 126, at + 8
    else:
        if end - at < 10:
            return head, 0, -1
        [size], least, start = struct.unpack_from("!Q", data, at + 2), 65_536, at + 14
    if size < least:
        raise FrameError(1002, "a size is not written in its shortest form")
    if size > SKIPPED_BYTES_MAX:
        raise FrameError(1009, "message too big")
    return head, size, start if start <= end else -1


def _check(head: int, size: int) -> None:
    if head & 0x70:
        raise FrameError(1002, "reserved bits are set")
    opcode, final = head & 0x0F, bool(head & 0x80)
    if opcode > PONG or BINARY < opcode < CLOSE:
        raise FrameError(1002, "unknown opcode")
    # Any other form of the size says that there are more bytes.
    if opcode >= CLOSE and (not final or size > CONTROL_BYTES_MAX):
        raise FrameError(1002, "bad control frame")


def _check_close(payload: bytes) -> None:
    if not payload:
        return
    if len(payload) == 1 or int.from_bytes(payload[:2], "big") not in CLOSE_CODES:
        raise FrameError(1002, "bad close code")
    _check_characters(payload[2:])


def _check_characters(text: bytes) -> None:
    try:
        text.decode()
    except UnicodeDecodeError as error:
        raise _not_utf_8() from error


def _not_utf_8() -> FrameError:
    return FrameError(1007, "the text is not UTF-8")
