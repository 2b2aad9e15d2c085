"""
Requests out of the bytes of a connection, one after another, however they are cut. Pure.

It reads no further than it is asked to, so what it keeps is what it was fed: the caller
stops feeding it when `ahead` is more than it wants to keep.
"""

from __future__ import annotations

import re

from . import limits
from .chunked_body import ChunkedBody
from .request_head import Refused, RequestHead, check_request_line, parse_head

__all__ = ["RequestReader"]

HEAD_END = b"\r\n\r\n"
LINE_END = b"\r\n"
# A client may send some between requests: RFC 9112, 2.2.
EMPTY_LINES = re.compile(rb"(?:\r\n)+")
FIRST = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]|\r\Z")
BARE_LF = re.compile(rb"(?<!\r)\n")


class RequestReader:
    """
    Reads the client's side of a connection.

    Feed it what comes; take a head, then pieces of its body until it is `complete`.
    """

    __slots__ = ("_buffer", "_chunks", "_left", "_line_checked", "_scanned", "_skipped")

    def __init__(self) -> None:
        self._buffer = bytearray()
        # How far the end of a head was looked for already.
        self._scanned = 0
        self._skipped = 0
        self._line_checked = False
        # The body: what is to come of it, or the chunks that it comes in.
        self._left = 0
        self._chunks: ChunkedBody | None = None

    @property
    def ahead(self) -> int:
        """Bytes that were fed and not taken."""
        return len(self._buffer)

    @property
    def complete(self) -> bool:
        """True unless a body is still to be taken."""
        return not self._left and (self._chunks is None or self._chunks.complete)

    def feed(self, data: bytes) -> None:
        """Take bytes from the network."""
        self._buffer += data

    def take_rest(self) -> bytes:
        """Give away what came behind the last request."""
        rest = bytes(self._buffer)
        self._buffer.clear()
        return rest

    def next_head(self) -> RequestHead | None:
        """
        Return the next request, if its head is complete; its body is to be taken then.

        Raises:
            Refused: what comes is no request, or too large.
        """
        assert self.complete, "a body is still to be taken"
        self._skip_empty_lines()
        buffer = self._buffer
        if buffer and FIRST.match(buffer) is None:
            raise Refused(400, "This is no request of HTTP/1.1.")
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
        Return what is there of the body; nothing if more must come, or it is complete.

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
        """Refuse at once what would be refused when it is complete."""
        if BARE_LF.search(self._buffer, self._scanned):
            raise Refused(400, "A line ends in CR and LF.")
        end = self._buffer.find(LINE_END)
        if end >= 0 and not self._line_checked:
            check_request_line(bytes(self._buffer[:end]))
            self._line_checked = True
        if len(self._buffer) > limits.HEAD_BYTES_MAX:
            if end < 0:
                raise Refused(414, "The request line is too long.")
            raise Refused(431, f"The head is larger than {limits.HEAD_BYTES_MAX} bytes.")
