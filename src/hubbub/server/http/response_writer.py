"""The bytes of a response: RFC 9112, section 6. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from http import HTTPStatus

from .request_head import TOKEN

__all__ = ["CONTINUE", "ResponseWriter"]

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
NAME = re.compile(TOKEN)
VALUE = re.compile(rb"[\t\x20-\x7e\x80-\xff]*")
LENGTH = re.compile(rb"[0-9]{1,18}")
STATUS_LINES: dict[int, bytes] = {
    status: b"HTTP/1.1 %d %b\r\n" % (status, status.phrase.encode()) for status in HTTPStatus
}
# The connection sets these; those of the application are left out.
HOP_BY_HOP = {b"connection", b"keep-alive", b"transfer-encoding", b"upgrade"}
WITHOUT_BODY = {204, 304}

Headers = Iterable[tuple[bytes, bytes]]


class ResponseWriter:
    """
    Frames one response.

    Args:
        method: of the request.
        version: of the request: ``1.0`` or ``1.1``.
        keep_alive: whether the request lets the connection stay open.
    """

    __slots__ = ("_chunked", "_left", "_silent", "_version", "complete", "keep_alive")

    def __init__(self, method: str, version: str, *, keep_alive: bool) -> None:
        self.keep_alive = keep_alive
        self.complete = False
        # There is no body, whatever the headers say.
        self._silent = method == "HEAD"
        self._version = version
        self._chunked = False
        # Bytes that are missing of a body whose length is in a header.
        self._left: int | None = None

    def head(self, status: int, headers: Headers) -> bytes:
        """
        Begin the response.

        Raises:
            ValueError: a header cannot be sent; the response has not begun.
        """
        lines = [STATUS_LINES.get(status) or b"HTTP/1.1 %d \r\n" % status]
        length: int | None = None
        keep_alive = self.keep_alive
        for name, value in headers:
            lower = name.lower()
            if NAME.fullmatch(name) is None or VALUE.fullmatch(value) is None:
                raise ValueError(f"the header {name!r} cannot be sent")
            if lower == b"content-length":
                if length is not None or LENGTH.fullmatch(value) is None:
                    raise ValueError("the Content-Length cannot be sent")
                length = int(value)
            if lower == b"connection" and b"close" in value.lower():
                keep_alive = False
            if lower not in HOP_BY_HOP:
                lines += (lower, b": ", value, b"\r\n")
        self._silent = self._silent or status in WITHOUT_BODY
        self._chunked = False
        if length is None and not self._silent:
            self._chunked = self._version == "1.1"
            # The body of an older client ends with the connection.
            keep_alive = keep_alive and self._chunked
        self.keep_alive, self._left = keep_alive, length
        if self._chunked:
            lines.append(b"transfer-encoding: chunked\r\n")
        if not self.keep_alive:
            lines.append(b"connection: close\r\n")
        lines.append(b"\r\n")
        return b"".join(lines)

    def body(self, data: bytes, *, more: bool) -> tuple[bytes, bytes, bytes]:
        """
        Continue the response.

        Returns:
            The bytes to send: those before the data, the data itself, and those after it.

        Raises:
            ValueError: the body is not as long as its header says.
        """
        if self._left is not None and not self._silent:
            self._left -= len(data)
            if self._left < 0 or (self._left and not more):
                raise ValueError("the body is not as long as its Content-Length")
        self.complete = not more
        if self._silent:
            return b"", b"", b""
        if self._chunked:
            end = b"" if more else b"0\r\n\r\n"
            return (b"%x\r\n" % len(data), data, b"\r\n" + end) if data else (b"", b"", end)
        return b"", data, b""
