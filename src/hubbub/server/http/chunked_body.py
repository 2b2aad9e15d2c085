"""A request's body that comes in chunks, read strictly: RFC 9112, section 7.1. Pure."""

from __future__ import annotations

import re

from . import limits
from .request_head import TOKEN, Refused

__all__ = ["ChunkedBody"]

LINE_END = b"\r\n"
SIZE_LINE = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(?:;[\t\x20-\x7e\x80-\xff]*)?")
TRAILER = re.compile(rb"%b:[\t\x20-\x7e\x80-\xff]*" % TOKEN)


class ChunkedBody:
    """Takes the body out of a buffer, as far as it has come."""

    __slots__ = ("_in_trailers", "_left", "_overhead", "_size", "_trailer_bytes", "complete")

    def __init__(self) -> None:
        self.complete = False
        # Bytes that are missing of this chunk, with the line end after it.
        self._left = 0
        self._size = 0
        self._overhead = 0
        self._in_trailers = False
        self._trailer_bytes = 0

    def take(self, buffer: bytearray) -> bytes:
        """
        Take the part that has come.

        Args:
            buffer: the bytes that came; this removes the bytes that it has read.

        Returns:
            A piece of the body; nothing if more must come, or it is complete.

        Raises:
            Refused: a chunk is wrong, or the body is too large.
        """
        pieces: list[bytes] = []
        while not self.complete:
            if self._left > len(LINE_END):
                if not buffer:
                    break
                pieces.append(self._take_data(buffer))
            elif self._left:
                if not self._take_line_end(buffer):
                    break
            elif not self._take_line(buffer):
                break
        return b"".join(pieces)

    def _take_data(self, buffer: bytearray) -> bytes:
        count = min(self._left - len(LINE_END), len(buffer))
        data = bytes(buffer[:count])
        del buffer[:count]
        self._left -= count
        return data

    def _take_line_end(self, buffer: bytearray) -> bool:
        if not LINE_END.startswith(buffer[:2]):
            raise Refused(400, "A chunk is longer than it says.")
        if len(buffer) < len(LINE_END):
            return False
        del buffer[:2]
        self._left = 0
        return True

    def _take_line(self, buffer: bytearray) -> bool:
        longest = limits.TRAILER_BYTES_MAX if self._in_trailers else limits.CHUNK_LINE_BYTES_MAX
        end = buffer.find(b"\n", 0, longest)
        if end < 0:
            if len(buffer) >= longest:
                raise Refused(400, f"A line of the body is longer than {longest} bytes.")
            return False
        line = bytes(buffer[: end + 1])
        del buffer[: end + 1]
        if not line.endswith(LINE_END):
            raise Refused(400, "A line ends in CR and LF.")
        if self._in_trailers:
            self._trailer(line[:-2])
        else:
            self._begin_chunk(line[:-2])
        return True

    def _begin_chunk(self, line: bytes) -> None:
        found = SIZE_LINE.fullmatch(line)
        if found is None:
            raise Refused(400, "The line before a chunk is wrong.")
        size = int(found[1], 16)
        self._size += size
        self._overhead += len(line)
        if self._size > limits.BODY_BYTES_MAX:
            raise Refused(413, f"The body is larger than {limits.BODY_BYTES_MAX} bytes; send less.")
        if self._overhead > limits.CHUNK_OVERHEAD_BYTES_MAX:
            raise Refused(400, "The chunks are too small.")
        self._in_trailers = size == 0
        self._left = size + len(LINE_END) if size else 0

    def _trailer(self, line: bytes) -> None:
        """Ignore a field after the body."""
        self._trailer_bytes += len(line)
        if not line:
            self.complete = True
        elif TRAILER.fullmatch(line) is None:
            raise Refused(400, "A field behind the body is wrong.")
        elif self._trailer_bytes > limits.TRAILER_BYTES_MAX:
            raise Refused(431, "There are too many fields behind the body.")
