"""Requests that two readers could read differently are refused; the others are answered once."""

from __future__ import annotations

import re
from typing import NamedTuple

import pytest

from tests.blackbox.raw import Raw, frame_of, handshake_of
from tests.blackbox.served import Served

BODY = b'{"nickname":"a"}'
GET = b"GET /health HTTP/1.1\r\n"
POST = b"POST /api/users/sign_in HTTP/1.1\r\nHost: x\r\n"
# What a smuggler would like to have answered as well.
SECOND = b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n"
END_SECONDS_MAX = 10.0

STATUS = re.compile(rb"HTTP/1\.[01] (\d{3})[^\r\n]*\r\n")


class Sent(NamedTuple):
    """The request."""

    name: str
    data: bytes


HEADS = [
    Sent("HTTP/0.9", b"GET /health\r\n\r\n"),
    Sent("another protocol", b"PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n" + SECOND),
    Sent("no Host", GET + b"\r\n"),
    Sent("two Hosts", GET + b"Host: x\r\nHost: y\r\n\r\n"),
    Sent("two Hosts that are the same", GET + b"Host: x\r\nHost: x\r\n\r\n"),
    Sent("a Host with a space", GET + b"Host: a b\r\n\r\n"),
    Sent("a Host with a path", GET + b"Host: x/y\r\n\r\n"),
    Sent("a Host with a user", GET + b"Host: a@b\r\n\r\n"),
    Sent("a line that ends in LF", b"GET /health HTTP/1.1\nHost: x\n\n"),
    Sent("one line that ends in LF", GET + b"A: b\nHost: x\r\n\r\n"),
    Sent("a CR within a field", GET + b"Host: x\r\nA: b\rC: d\r\n\r\n"),
    Sent("a field on two lines", GET + b"Host: x\r\nA: b\r\n c\r\n\r\n"),
    Sent("a line that begins with a space", GET + b" A: b\r\nHost: x\r\n\r\n"),
    Sent("a space before a colon", GET + b"Host : x\r\n\r\n"),
    Sent("a field without a colon", GET + b"Host: x\r\nA\r\n\r\n"),
    Sent("a field without a name", GET + b"Host: x\r\n: b\r\n\r\n"),
    Sent("a name that is no token", GET + b"Host: x\r\nA(: b\r\n\r\n"),
    Sent("a NUL", GET + b"Host: x\r\nA: b\0c\r\n\r\n"),
    Sent("a space before the method", b" " + SECOND),
    Sent("tabs in the request line", b"GET\t/health\tHTTP/1.1\r\nHost: x\r\n\r\n"),
    Sent("HTTP/1", b"GET /health HTTP/1\r\nHost: x\r\n\r\n"),
    Sent("NULs", bytes(2_000)),
    Sent("every byte", bytes(range(256)) * 4),
    Sent("TLS", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500)),
    Sent("HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0"),
]

# Where a body ends must be beyond doubt.
BODIES = [
    Sent("two lengths", POST + b"Content-Length: 16\r\nContent-Length: 0\r\n\r\n" + BODY + SECOND),
    Sent("two lengths that are the same",
         POST + b"Content-Length: 16\r\nContent-Length: 16\r\n\r\n" + BODY),
    Sent("a list of lengths", POST + b"Content-Length: 16, 16\r\n\r\n" + BODY),
    Sent("a length with a plus", POST + b"Content-Length: +16\r\n\r\n" + BODY),
    Sent("a length below zero", POST + b"Content-Length: -1\r\n\r\n" + SECOND),
    Sent("a length in hexadecimal", POST + b"Content-Length: 0x10\r\n\r\n" + BODY),
    Sent("a length with an underscore", POST + b"Content-Length: 1_6\r\n\r\n" + BODY),
    Sent("a length of 400 digits", POST + b"Content-Length: 1" + b"0" * 400 + b"\r\n\r\n" + BODY),
    Sent("an empty length", POST + b"Content-Length:\r\n\r\n" + SECOND),
    Sent("a length, and chunks", POST + b"Content-Length: 16\r\nTransfer-Encoding: chunked\r\n\r\n"
         b"0\r\n\r\n" + SECOND),
    Sent("chunks, and a length", POST + b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n"
         b"5c\r\nGPOST\r\n0\r\n\r\n"),
    Sent("an unknown coding", POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + SECOND),
    Sent("chunks that are not last",
         POST + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n" + SECOND),
    Sent("two codings", POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n"
         b"0\r\n\r\n" + SECOND),
    Sent("chunks twice", POST + b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n" + SECOND),
    Sent("a control character before a coding",
         POST + b"Transfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n" + SECOND),
    Sent("chunks in HTTP/1.0", b"POST /api/users/sign_in HTTP/1.0\r\n"
         b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + SECOND),
]  # fmt: skip

CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
CHUNKS = [
    Sent("a size that is too large", CHUNKED + b"f" * 17 + b"\r\n" + BODY),
    Sent("a size that is no number", CHUNKED + b"zz\r\n" + BODY),
    Sent("a size with a sign", CHUNKED + b"+10\r\n" + BODY + b"\r\n0\r\n\r\n"),
    Sent("a size with a prefix", CHUNKED + b"0x10\r\n" + BODY + b"\r\n0\r\n\r\n"),
    Sent("a size with a space", CHUNKED + b"1 0\r\n" + BODY + b"\r\n0\r\n\r\n"),
    Sent("an empty size", CHUNKED + b"\r\n" + BODY),
    Sent("no CRLF behind a chunk", CHUNKED + b"10\r\n" + BODY + b"xx0\r\n\r\n"),
    Sent("an LF behind a size", CHUNKED + b"10\n" + BODY + b"\r\n0\r\n\r\n"),
]


def statuses(server: Served, data: bytes, *, half_close: bool = False) -> list[int]:
    """Send requests; return the statuses of all answers until the server closes."""
    with Raw(server.port) as client:
        client.send(data)
        if half_close:
            client.half_close()
        came = client.read_to_the_end(END_SECONDS_MAX)
    return [int(status) for status in STATUS.findall(came)]


@pytest.mark.parametrize("sent", HEADS, ids=lambda sent: sent.name)
def test_a_wrong_head_is_refused_and_the_connection_closed(server: Served, sent: Sent) -> None:
    assert statuses(server, sent.data) in ([400], [505])


@pytest.mark.parametrize("sent", BODIES, ids=lambda sent: sent.name)
def test_a_body_without_a_clear_end_is_refused(server: Served, sent: Sent) -> None:
    assert statuses(server, sent.data) in ([400], [501])


@pytest.mark.parametrize("sent", CHUNKS, ids=lambda sent: sent.name)
def test_a_wrong_chunk_is_refused(server: Served, sent: Sent) -> None:
    assert statuses(server, sent.data + SECOND) == [400]


def test_requests_in_a_row_are_answered_in_order(server: Served) -> None:
    unknown = b"GET /nothing HTTP/1.1\r\nHost: x\r\n"
    data = SECOND + unknown + b"\r\n" + GET + b"Host: x\r\nConnection: close\r\n\r\n" + SECOND

    assert statuses(server, data) == [200, 404, 200]


@pytest.mark.parametrize("method", [b"get", b"G\xe9T", b"CONNECT", b"TRACE", b"x" * 500])
def test_an_odd_method_is_refused(server: Served, method: bytes) -> None:
    data = method + b" /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"

    assert statuses(server, data) in ([400], [404], [405], [501])


@pytest.mark.parametrize(
    "target",
    [b"http://x/health", b"x:80", b"*", b"/health#x", b"//health", b"/%", b"/\xe9", b"\xff"],
)
def test_an_odd_target_is_answered_once(server: Served, target: bytes) -> None:
    data = b"GET " + target + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"

    assert statuses(server, data) in ([200], [307], [400], [404])


def test_http_1_0_is_answered_and_closed(server: Served) -> None:
    assert statuses(server, b"GET /health HTTP/1.0\r\n\r\n" + SECOND) == [200]


def test_the_body_of_a_get_is_no_second_request(server: Served) -> None:
    data = (
        GET + b"Host: x\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(SECOND) + SECOND
    )

    assert statuses(server, data) == [200]


def test_a_body_in_chunks_is_read(server: Served) -> None:
    chunks = b"6;a=b\r\n" + BODY[:6] + b"\r\nA\r\n" + BODY[6:] + b"\r\n0\r\nX: y\r\n\r\n"
    last = GET + b"Host: x\r\nConnection: close\r\n\r\n"

    assert statuses(server, CHUNKED + chunks + last) == [200, 200]


def test_a_client_that_waits_for_a_hundred_gets_it(server: Served) -> None:
    data = POST + b"Connection: close\r\nExpect: 100-continue\r\nContent-Length: 16\r\n\r\n"
    with Raw(server.port) as client:
        client.send(data)
        first = client.read_head()
        client.send(BODY)

        assert first.status == 100
        assert client.read_head().status == 200


@pytest.mark.parametrize("settings", [b"AAMAAABkAAQAAP__", b"!!", b"", b"\xff"])
def test_there_is_no_http_2(server: Served, settings: bytes) -> None:
    upgrade = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
    data = GET + b"Host: x\r\n" + upgrade + b"HTTP2-Settings: " + settings + b"\r\n\r\n"

    assert statuses(server, data, half_close=True) in ([200], [400])


def test_what_is_behind_a_refused_handshake_is_no_request(server: Served) -> None:
    refused = handshake_of(sec_websocket_version="12")

    assert len(statuses(server, refused + frame_of(SECOND), half_close=True)) == 1


@pytest.mark.parametrize(
    "sent",
    [
        Sent("a body that is cut off", POST + b"Content-Length: 100\r\n\r\n{"),
        Sent("a chunk that is cut off", CHUNKED + b"10\r\n{"),
        Sent("a head that is cut off", GET + b"Host: x\r\n"),
        Sent("half a line", b"GET /hea"),
        Sent("nothing", b""),
    ],
    ids=lambda sent: sent.name,
)
def test_a_client_that_sends_no_more_in_the_middle_is_let_go(server: Served, sent: Sent) -> None:
    assert statuses(server, sent.data, half_close=True) in ([], [400], [408])
