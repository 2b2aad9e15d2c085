"""
Splits the bytes of a connection into requests, however the network cuts them. Pure.

The reader keeps all bytes until the caller takes them, so the caller stops feeding it when
`ahead` is too large.
"""

from __future__ import annotations

import re

from . import limits
from .chunked_body import ChunkedBody
from .request_head import Refused, RequestHead, check_request_line, parse_head

__all__ = ["RequestReader"]

HEAD_END = b"\r\n\r\n"
LINE_END = b"\r\n"
# A client can send empty lines between requests: RFC 9112, 2.2.
EMPTY_LINES = re.compile(rb"(?:\r\n)+")
FIRST = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]|\r\Z")
BARE_LF = re.compile(rb"(?<!\r)\n")


class RequestReader:
    """
    Reads the client's side of a connection.

    Feed it the bytes that come; take a head, then pieces of its body until it is `complete`.
    """

    __slots__ = ("_buffer", "_chunks", "_left", "_line_checked", "_scanned", "_skipped")

    def __init__(self) -> None:
        self._buffer = bytearray()
        # How many bytes were searched for the end of a head.
        self._scanned = 0
        self._skipped = 0
        self._line_checked = False
        # The bytes of the body that are missing, or its chunks.
        self._left = 0
        self._chunks: ChunkedBody | None = None

    @property
    def ahead(self) -> int:
        """Bytes that were fed and not taken."""
        return len(self._buffer)

    @property
    def complete(self) -> bool:
        """True unless there is a body to take."""
        return not self._left and (self._chunks is None or self._chunks.complete)

    def feed(self, data: bytes) -> None:
        """Take bytes from the network."""
        self._buffer += data

    def take_rest(self) -> bytes:
        """Return the bytes that came after the last request."""
        rest = bytes(self._buffer)
        self._buffer.clear()
        return rest

    def next_head(self) -> RequestHead | None:
        """
        Return the next request if its head is complete; take its body next.

        Raises:
            Refused: the bytes are no request, or it is too large.
        """
        assert self.complete, "there is a body to take first"
        self._skip_empty_lines()
        buffer = self._buffer
        if buffer and FIRST.match(buffer) is None:
            raise Refused(400, "This is not a request of HTTP/1.1.")
        end = buffer.find(HEAD_END, max(0, self._scanned - 3))
        if end < 0 or end + len(HEAD_END) > limits.HEAD_BYTES_MAX:
            self._check_incomplete()
            self._scanned = len(buffer)
            return None
        head = self._take(end + len(HEAD_END))
        self._scanned = self._skipped = 0
        self._line_checked = False
        request = parse_head(head)
        self._left = request.length or 0
        self._chunks = ChunkedBody() if request.length is None else None
        return request

    def next_piece(self) -> bytes:
        """
        Return the part of the body that is there; nothing if more must come, or it is complete.

        Raises:
            Refused: its chunks are wrong, or it is too large.
        """
        if self._chunks is not None:
            return self._chunks.take(self._buffer)
        piece = self._take(min(self._left, len(self._buffer)))
        self._left -= len(piece)
        return piece

    def _take(self, count: int) -> bytes:
        taken = bytes(self._buffer[:count])
        del self._buffer[:count]
        return taken

    def _skip_empty_lines(self) -> None:
        if (found := EMPTY_LINES.match(self._buffer)) is None:
            return
        count = found.end()
        # A match lends the buffer, which cannot change then.
        del found
        del self._buffer[:count]
        self._scanned = 0
        self._skipped += count
        if self._skipped > limits.HEAD_BYTES_MAX:
            raise Refused(400, "There are only empty lines.")

    def _check_incomplete(self) -> None:
        """Refuse a head early, if it would be refused when it is complete."""
        # The status must not depend on how the network cuts the head: whatever comes first counts.
        longest = limits.HEAD_BYTES_MAX
        end = self._buffer.find(LINE_END, 0, longest)
        if end >= 0 and not self._line_checked:
            check_request_line(bytes(self._buffer[:end]))
            self._line_checked = True
        if BARE_LF.search(self._buffer, self._scanned, longest):
            raise Refused(400, "A line ends in CR and LF.")
        if len(self._buffer) > longest:
            if end < 0:
                raise Refused(414, "The request line is too long.")
            raise Refused(431, f"The head is larger than {longest} bytes.")
