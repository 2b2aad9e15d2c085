"""The head of a request: read as every server reads it, or refused."""

from __future__ import annotations

from contextlib import suppress

import h11
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubbub.server.http.limits import BODY_BYTES_MAX, HEAD_FIELDS_MAX
from hubbub.server.http.request_head import Refused, RequestHead, check_request_line, parse_head


def head_of(line: str = "GET / HTTP/1.1", *fields: str, host: str | None = "a") -> RequestHead:
    lines = [line, *([] if host is None else [f"Host: {host}"]), *fields]
    return parse_head("\r\n".join([*lines, "", ""]).encode("latin-1"))


def status_of(line: str = "GET / HTTP/1.1", *fields: str, host: str | None = "a") -> int:
    with pytest.raises(Refused) as refused:
        head_of(line, *fields, host=host)
    return refused.value.status


def test_its_parts() -> None:
    head = head_of("POST /a%20b?c=d HTTP/1.1", "X-A: \xe9 ", "Content-Length: 3")

    assert (head.method, head.path, head.raw_path, head.query) == (
        "POST",
        "/a b",
        b"/a%20b",
        b"c=d",
    )
    assert head.headers == [(b"host", b"a"), (b"x-a", b"\xe9"), (b"content-length", b"3")]
    assert (head.length, head.has_body, head.keep_alive, head.version) == (3, True, True, "1.1")


def test_the_host_of_an_absolute_target_counts() -> None:
    head = head_of("GET http://b:80/x HTTP/1.1", host="a")

    assert (head.path, head.headers) == ("/x", [(b"host", b"b:80")])


@pytest.mark.parametrize(
    "line",
    [
        "GET /",
        "GET  / HTTP/1.1",
        " GET / HTTP/1.1",
        "GET\t/\tHTTP/1.1",
        "GET / http/1.1",
        "GET / HTTP/1.1 ",
        "get / HTTP/1.1",
        "G\x00T / HTTP/1.1",
        "GET /\xe9 HTTP/1.1",
        "GET /a#b HTTP/1.1",
        "GET a HTTP/1.1",
        "GET http:///x HTTP/1.1",
        "GET http://a@b/x HTTP/1.1",
        "CONNECT a:80 HTTP/1.1",
    ],
)
def test_a_wrong_request_line(line: str) -> None:
    assert status_of(line) == 400


@pytest.mark.parametrize("version", ["2.0", "1.2", "0.9", "9.9"])
def test_another_version(version: str) -> None:
    assert status_of(f"GET / HTTP/{version}") == 505
    assert status_of(f"PRI * HTTP/{version}") == 505


@pytest.mark.parametrize(
    "field",
    [
        "A : b",
        "A",
        ": b",
        "A B: c",
        "Ä: b",
        "A: b\x00c",
        "A: b\x7fc",
        "A: b\rC: d",
        "A: b\nC: d",
        "A: b\r\n c",
        "A: b\r\n\tc",
        "Host: b",
        "Host: a",
    ],
)
def test_a_wrong_field(field: str) -> None:
    assert status_of("GET / HTTP/1.1", field) == 400


@pytest.mark.parametrize("host", [None, "", "a b", "a/b", "a@b", "[::1", "a:b", "\xe9", "a,b\\"])
def test_a_wrong_host(host: str | None) -> None:
    assert status_of(host=host) == 400


@pytest.mark.parametrize("host", ["a", "A.example:80", "127.0.0.1", "[::1]:8000", "a_b", "a:"])
def test_a_good_host(host: str) -> None:
    assert head_of(host=host).headers == [(b"host", host.encode())]


def test_an_old_client_needs_no_host() -> None:
    head = head_of("GET / HTTP/1.0", host=None)

    assert (head.version, head.keep_alive) == ("1.0", False)


@pytest.mark.parametrize(
    "fields",
    [
        ["Content-Length: 3", "Content-Length: 3"],
        ["Content-Length: 3", "Content-Length: 4"],
        ["Content-Length: 3, 3"],
        ["Content-Length: +3"],
        ["Content-Length: -3"],
        ["Content-Length: 0x3"],
        ["Content-Length: 3 3"],
        ["Content-Length: "],
        ["Content-Length: " + "9" * 400],
        ["Content-Length: 3", "Transfer-Encoding: chunked"],
        ["Transfer-Encoding: chunked", "Content-Length: 3"],
        ["Transfer-Encoding: identity"],
        ["Transfer-Encoding: gzip, chunked"],
        ["Transfer-Encoding: chunked, identity"],
        ["Transfer-Encoding: chunked", "Transfer-Encoding: chunked"],
        ["Transfer-Encoding: chunked", "Transfer-Encoding: identity"],
        ["Transfer-Encoding: xchunked"],
        ["Transfer-Encoding: "],
    ],
)
def test_a_body_whose_end_is_in_doubt(fields: list[str]) -> None:
    assert status_of("POST / HTTP/1.1", *fields) == 400


def test_chunks_from_an_old_client() -> None:
    assert status_of("POST / HTTP/1.0", "Transfer-Encoding: chunked") == 400


def test_a_body_that_is_too_large() -> None:
    assert status_of("POST / HTTP/1.1", f"Content-Length: {BODY_BYTES_MAX + 1}") == 413
    assert head_of("POST / HTTP/1.1", f"Content-Length: {BODY_BYTES_MAX}").length == BODY_BYTES_MAX


def test_too_many_fields() -> None:
    assert status_of("GET / HTTP/1.1", *["a:b"] * HEAD_FIELDS_MAX) == 431
    assert len(head_of("GET / HTTP/1.1", *["a:b"] * (HEAD_FIELDS_MAX - 1)).headers) == 100


@pytest.mark.parametrize(
    ("fields", "upgrade"),
    [
        (["Connection: Upgrade", "Upgrade: WebSocket"], b"websocket"),
        (["Connection: keep-alive, upgrade", "Upgrade: h2c"], b"h2c"),
        (["Upgrade: websocket"], b""),
        (["Connection: Upgrade"], b""),
    ],
)
def test_an_upgrade(fields: list[str], upgrade: bytes) -> None:
    assert head_of("GET / HTTP/1.1", *fields).upgrade == upgrade
    assert head_of("GET / HTTP/1.0", *fields).upgrade == b""


def test_the_first_line_alone_is_checked_as_well() -> None:
    assert check_request_line(b"GET / HTTP/1.0") == "1.0"
    with pytest.raises(Refused):
        check_request_line(b"GET /")


texts = st.text("aB1 \t:;,=-_/%?#@[]\r\n\x00\x7f\xe9", max_size=12)
fields = st.tuples(
    st.sampled_from(
        ["Host", "Content-Length", "Transfer-Encoding", "Connection", "Upgrade", "Expect", "X"]
    )
    | texts,
    st.sampled_from(["a", "0", "7", "chunked", "close", "Upgrade", "websocket", "100-continue"])
    | texts,
).map(": ".join)
lines = st.sampled_from(["GET / HTTP/1.1", "POST /x?y HTTP/1.1", "GET http://b/ HTTP/1.1"]) | texts


@given(lines, st.lists(fields, max_size=5), st.booleans())
def test_what_is_not_refused_another_parser_reads_alike(
    line: str, more: list[str], with_host: bool
) -> None:
    text = "\r\n".join([line, *(["Host: a"] if with_host else []), *more, "", ""])
    raw = text.encode("latin-1").replace(b"\r\n\r\n", b"\r\nX: y\r\n") + b"\r\n"
    raw = raw if raw.endswith(b"\r\n\r\n") else raw + b"\r\n"
    try:
        head = parse_head(raw)
    except Refused:
        return

    other = h11.Connection(h11.SERVER)
    other.receive_data(raw)
    request = other.next_event()
    assert isinstance(request, h11.Request)
    assert (head.method, head.version) == (request.method.decode(), request.http_version.decode())
    if request.target.startswith(b"/"):
        assert request.target.partition(b"?") == (
            head.raw_path,
            b"?" if b"?" in request.target else b"",
            head.query,
        )
        assert head.headers == list(request.headers)


@given(st.binary(max_size=200))
def test_whatever_comes_is_refused_or_read(raw: bytes) -> None:
    for start in (b"", b"GET / HTTP/1.1\r\nHost: a\r\n"):
        with suppress(Refused):
            parse_head(start + raw + b"\r\n\r\n")
