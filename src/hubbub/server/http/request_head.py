"""
The head of an HTTP request, read strictly: RFC 9112. Pure.

llhttp reads it. The server first refuses everything that llhttp and other servers read
differently, because a proxy in front might read it the other way (request smuggling).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import NamedTuple
from urllib.parse import unquote

import httptools

from .limits import BODY_BYTES_MAX, HEAD_FIELDS_MAX

__all__ = ["Refused", "RequestHead", "check_request_line", "parse_head"]

TOKEN = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
# A line that ends in another way, continues in the next one, or has a control character.
FAULT = re.compile(rb"(?<!\r)\n|\r(?!\n)|\r\n[ \t]|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
# Bytes that no line has in it.
NOT_IN_LINE = bytes({*range(0x20), 0x7F} - {0x09})
REQUEST_LINE = re.compile(rb"(%b) ([\x21-\x7e]+) HTTP/([0-9])\.([0-9])" % TOKEN)
FIELD = re.compile(rb"%b:" % TOKEN)
LENGTH = re.compile(rb"[0-9]{1,18}")
HOST = re.compile(
    rb"(?:\[[0-9A-Fa-f:.]+\]|(?:[A-Za-z0-9._~!$&'()*+,;=\-]|%[0-9A-Fa-f]{2})+)(?::[0-9]{0,5})?"
)
NO_WORDS: AbstractSet[bytes] = frozenset()
# The fields that say how to read the request.
FRAMING = frozenset(
    {b"connection", b"content-length", b"expect", b"host", b"transfer-encoding", b"upgrade"}
)
ABSOLUTE = re.compile(rb"(?i:https?)://([^/?#]+)(/[^?#]*)?(\?[^#]*)?")


class Refused(Exception):
    """
    A request that never reaches the application; the connection closes.

    Args:
        status: the HTTP status.
        detail: the problem, for the client.
    """

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail


class RequestHead(NamedTuple):
    """
    A request without its body.

    Attributes:
        raw_path: as it was sent, without the query; `path` is decoded.
        version: ``1.0`` or ``1.1``.
        headers: with names in lower case.
        length: of the body, in bytes; None if it comes in chunks.
        upgrade: the protocol that the client prefers, in lower case; or nothing.
    """

    method: str
    path: str
    raw_path: bytes
    query: bytes
    version: str
    headers: list[tuple[bytes, bytes]]
    length: int | None
    keep_alive: bool
    expects_continue: bool
    upgrade: bytes

    @property
    def has_body(self) -> bool:
        """True if anything comes behind the head."""
        return self.length != 0


def parse_head(head: bytes) -> RequestHead:
    """
    Read a head.

    Args:
        head: with the empty line at its end.

    Raises:
        Refused: it is not HTTP/1.1 as every server reads it, or too large.
    """
    line, _, fields = head[:-4].partition(b"\r\n")
    version = check_request_line(line)
    _check_bytes(head)
    lines = fields.split(b"\r\n") if fields else []
    if len(lines) > HEAD_FIELDS_MAX:
        raise Refused(431, f"There are more than {HEAD_FIELDS_MAX} fields.")
    if not all(map(FIELD.match, lines)):
        raise Refused(400, "A field is not a name, a colon and a value.")
    return _request(_read(head), version)


def _check_bytes(head: bytes) -> None:
    # Almost no head has a fault, and this takes a twentieth of the time of the search.
    lines = head.replace(b"\r\n", b"")
    if (
        len(lines.translate(None, NOT_IN_LINE)) == len(lines)
        and b"\r\n " not in head
        and b"\r\n\t" not in head
    ):
        return
    fault = FAULT.search(head)
    assert fault is not None
    raise Refused(400, f"There is a wrong byte at {fault.start()} of the head.")


def check_request_line(line: bytes) -> str:
    """
    Check the first line of a head; return the version to answer in.

    Raises:
        Refused: it is not one of HTTP/1.
    """
    found = REQUEST_LINE.fullmatch(line)
    if found is None:
        raise Refused(400, "The request line is wrong.")
    version = f"{found[3].decode()}.{found[4].decode()}"
    if version not in ("1.0", "1.1"):
        raise Refused(505, "This server speaks HTTP/1.1.")
    return version


class _Read:
    """The parts that llhttp finds."""

    def __init__(self) -> None:
        self.method = ""
        self.url = b""
        self.headers: list[tuple[bytes, bytes]] = []

    def on_url(self, url: bytes) -> None:
        self.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name.lower(), value.strip(b" \t")))


def _read(head: bytes) -> _Read:
    read = _Read()
    parser = httptools.HttpRequestParser(read)
    try:
        parser.feed_data(head)
    except httptools.HttpParserUpgrade:
        # The headers say whether it is an upgrade.
        pass
    except httptools.HttpParserError as error:
        raise Refused(400, f"This is not a valid request: {error}.") from error
    read.method = parser.get_method().decode("ascii")
    return read


def _request(read: _Read, version: str) -> RequestHead:
    headers, found = read.headers, _found(read.headers)
    hosts = found.get(b"host", ())
    if len(hosts) > 1 or (version == "1.1" and not hosts):
        raise Refused(400, "Send one Host.")
    if hosts and HOST.fullmatch(hosts[0]) is None:
        raise Refused(400, "The Host is wrong.")
    raw_path, query, authority = _target(read.method, read.url)
    if authority is not None:
        # It replaces Host: RFC 9112, 3.2.2.
        headers = [(b"host", authority)] + [pair for pair in headers if pair[0] != b"host"]
    connection, expected = _words(found.get(b"connection")), _words(found.get(b"expect"))
    upgrade = b"".join(found.get(b"upgrade", ())).strip().lower()
    return RequestHead(
        method=read.method,
        path=unquote(raw_path.decode("ascii")) if b"%" in raw_path else raw_path.decode("ascii"),
        raw_path=raw_path,
        query=query,
        version=version,
        headers=headers,
        length=_length(found, version),
        keep_alive=version == "1.1" and b"close" not in connection,
        expects_continue=version == "1.1" and b"100-continue" in expected,
        upgrade=upgrade if version == "1.1" and b"upgrade" in connection else b"",
    )


def _target(method: str, target: bytes) -> tuple[bytes, bytes, bytes | None]:
    """Split a target into path, query and authority."""
    authority = None
    if b"#" in target:
        raise Refused(400, "A target has no fragment.")
    if (absolute := ABSOLUTE.fullmatch(target)) is not None:
        authority = absolute[1]
        if HOST.fullmatch(authority) is None:
            raise Refused(400, "The target's host is wrong.")
        target = (absolute[2] or b"/") + (absolute[3] or b"")
    elif not target.startswith(b"/") and (method, target) != ("OPTIONS", b"*"):
        raise Refused(400, "The target is no path.")
    path, _, query = target.partition(b"?")
    return path, query, authority


def _found(headers: list[tuple[bytes, bytes]]) -> dict[bytes, list[bytes]]:
    found: dict[bytes, list[bytes]] = {}
    for name, value in headers:
        if name in FRAMING:
            found.setdefault(name, []).append(value)
    return found


def _length(found: Mapping[bytes, Sequence[bytes]], version: str) -> int | None:
    lengths, codings = found.get(b"content-length"), found.get(b"transfer-encoding")
    if not codings and not lengths:
        return 0
    if codings:
        if lengths or len(codings) > 1 or version == "1.0" or codings[0].lower() != b"chunked":
            raise Refused(400, "Send a Content-Length, or Transfer-Encoding: chunked.")
        return None
    assert lengths is not None
    if len(lengths) > 1 or LENGTH.fullmatch(lengths[0]) is None:
        raise Refused(400, "The Content-Length is wrong.")
    length = int(lengths[0])
    if length > BODY_BYTES_MAX:
        raise Refused(413, f"The body is larger than {BODY_BYTES_MAX} bytes; send less.")
    return length


def _words(values: Sequence[bytes] | None) -> AbstractSet[bytes]:
    if values is None:
        return NO_WORDS
    return {word.strip().lower() for value in values for word in value.split(b",")}
