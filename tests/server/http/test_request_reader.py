"""Requests out of bytes, however they are cut."""

from __future__ import annotations

import re

import h11
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubbub.server.http.limits import HEAD_BYTES_MAX
from hubbub.server.http.request_head import Refused
from hubbub.server.http.request_reader import RequestReader

Read = list[tuple[str, str, bytes]]


def read(raw: bytes, step: int = 1 << 30) -> tuple[Read, bytes]:
    """Read whole requests, as (method, path, body), and what is left."""
    reader, found = RequestReader(), []
    body: list[bytes] = []
    for start in range(0, len(raw), step):
        reader.feed(raw[start : start + step])
        while True:
            if reader.complete:
                head = reader.next_head()
                if head is None:
                    break
                body = [head.method.encode(), head.path.encode()]
            body.append(reader.next_piece())
            if not reader.complete:
                break
            found.append((body[0].decode(), body[1].decode(), b"".join(body[2:])))
            body = []
    return found, reader.take_rest()


def status_of(raw: bytes) -> int:
    with pytest.raises(Refused) as refused:
        read(raw)
    return refused.value.status


GET = b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n"
POST = b"POST /b HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello"
CHUNKED = b"POST /c HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n"
WHOLE = {
    GET: ("GET", "/a", b""),
    POST: ("POST", "/b", b"hello"),
    CHUNKED: ("POST", "/c", b"hi"),
    b"\r\n\r\n" + GET: ("GET", "/a", b""),
}
requests = st.lists(st.sampled_from(list(WHOLE)), max_size=5)


@given(requests, st.integers(1, 90))
def test_however_they_are_cut_they_are_the_same(raw: list[bytes], step: int) -> None:
    assert read(b"".join(raw), step) == ([WHOLE[one] for one in raw], b"")


def test_what_is_behind_a_request_is_given_away() -> None:
    reader = RequestReader()
    reader.feed(GET + b"\x81\x80")
    reader.next_head()

    assert (reader.take_rest(), reader.ahead) == (b"\x81\x80", 0)


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"\x16\x03\x01", 400),
        (b"\x00", 400),
        (b" GET", 400),
        (b"\n\n", 400),
        (b"\rGET", 400),
        (b"GET /\r\n", 400),
        (b"GET / HTTP/1.1\nHost: x\n\n", 400),
        (b"GET / HTTP/1.1\r\nHost: x\n", 400),
        (b"PRI * HTTP/2.0\r\n", 505),
        (b"PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n", 400),
        (b"\r\n" * HEAD_BYTES_MAX, 400),
        (b"GET /" + b"a" * HEAD_BYTES_MAX, 414),
        (b"GET / HTTP/1.1\r\nX: " + b"a" * HEAD_BYTES_MAX, 431),
        (b"GET / HTTP/1.1\r\n" + b"a:b\r\n" * HEAD_BYTES_MAX, 431),
        (b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * HEAD_BYTES_MAX + b"\r\n\r\n", 431),
    ],
)
def test_what_can_be_no_request_is_refused_at_once(raw: bytes, status: int) -> None:
    assert status_of(raw) == status


def test_a_head_is_as_large_as_the_limit() -> None:
    start = b"GET /a HTTP/1.1\r\nHost: x\r\nX: "
    head = start + b"a" * (HEAD_BYTES_MAX - len(start) - 4) + b"\r\n\r\n"

    assert read(head) == ([("GET", "/a", b"")], b"")


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"GET / HTTP/0.1\r\nHost: x\n", 505),
        (b"GET /" + b"a" * HEAD_BYTES_MAX + b" HTTP/1.1\r\n", 414),
        (b"GET / HTTP/1.1\r\nX: " + b"a" * HEAD_BYTES_MAX + b"\n", 431),
    ],
    ids=["a wrong version, then a wrong line end", "a long line", "a wrong line end far behind"],
)
@pytest.mark.parametrize("step", [1, 1_000, 1 << 30])
def test_of_several_faults_the_first_is_told_however_they_are_cut(
    raw: bytes, status: int, step: int
) -> None:
    with pytest.raises(Refused) as refused:
        read(raw, step)

    assert refused.value.status == status


junk = st.binary(max_size=60) | st.sampled_from(
    [*WHOLE, b"GET / HTTP/1.1\r\n", b"\r\n", b"Host: x"]
)


@given(st.lists(junk, max_size=8).map(b"".join), st.integers(1, 50))
def test_whatever_comes_is_refused_or_read(raw: bytes, step: int) -> None:
    assert outcome(raw, step)


@given(st.lists(junk, max_size=8).map(b"".join), st.integers(1, 50))
def test_what_is_read_does_not_depend_on_the_cuts(raw: bytes, step: int) -> None:
    assert outcome(raw, 1 << 30) == outcome(raw, step)


def outcome(raw: bytes, step: int) -> object:
    try:
        return read(raw, step)
    except Refused as refused:
        return 400 <= refused.status < 600


@given(st.lists(junk, max_size=8).map(b"".join))
def test_another_parser_finds_the_same_requests(raw: bytes) -> None:
    try:
        found, _ = read(raw)
    except Refused:
        return

    other, went_on = read_by_h11(raw)
    # Behind a request that ends the connection the other one reads no more.
    assert found[: len(other)] == other[: len(found)]
    assert len(found) <= len(other) or not went_on


def read_by_h11(raw: bytes) -> tuple[Read, bool]:
    """Read whole requests, and tell whether the last one lets more come."""
    found: Read = []
    while True:
        parser = h11.Connection(h11.SERVER)
        # It knows no empty lines before a request.
        parser.receive_data(re.sub(rb"\A(\r\n)+", b"", raw))
        try:
            request, body = parser.next_event(), b""
            if not isinstance(request, h11.Request):
                return found, True
            while isinstance(event := parser.next_event(), h11.Data):
                body += bytes(event.data)
        except h11.RemoteProtocolError:
            return found, True
        if not isinstance(event, h11.EndOfMessage):
            return found, True
        found.append((request.method.decode(), request.target.decode(), body))
        if parser.their_state is not h11.DONE:
            return found, False
        raw = parser.trailing_data[0]
