"""The bytes of an answer, as another parser reads them."""

from __future__ import annotations

from collections.abc import Sequence

import h11
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubbub.server.http.response_writer import CONTINUE, ResponseWriter

Headers = list[tuple[bytes, bytes]]


def sent(
    pieces: list[bytes],
    headers: Sequence[tuple[bytes, bytes]] = (),
    *,
    method: str = "GET",
    version: str = "1.1",
    status: int = 200,
    keep_alive: bool = True,
) -> tuple[bytes, ResponseWriter]:
    writer = ResponseWriter(method, version, keep_alive=keep_alive)
    raw = writer.head(status, headers)
    for number, piece in enumerate(pieces, 1):
        raw += b"".join(writer.body(piece, more=number < len(pieces)))
    return raw, writer


def read(raw: bytes, method: str = "GET") -> tuple[int, Headers, bytes, bool]:
    """
    Read a response as a client does: status, headers, body, and whether the connection stays open.
    """
    client = h11.Connection(h11.CLIENT)
    client.send(h11.Request(method=method, target="/", headers=[("host", "a")]))
    client.send(h11.EndOfMessage())
    client.receive_data(raw)
    client.receive_data(b"")
    response, body = client.next_event(), b""
    assert isinstance(response, h11.Response)
    while isinstance(event := client.next_event(), h11.Data):
        body += bytes(event.data)
    assert isinstance(event, h11.EndOfMessage)
    going_on = not any(pair == (b"connection", b"close") for pair in response.headers)
    return response.status_code, list(response.headers), body, going_on


pieces = st.lists(st.binary(max_size=300), min_size=1, max_size=5)


@given(pieces, st.booleans())
def test_a_body_in_chunks(body: list[bytes], keep_alive: bool) -> None:
    raw, writer = sent(body, keep_alive=keep_alive)

    assert read(raw)[2:] == (b"".join(body), keep_alive)
    assert writer.complete


@given(pieces)
def test_a_body_with_its_length(body: list[bytes]) -> None:
    length = b"%d" % sum(map(len, body))
    raw, _ = sent(body, [(b"Content-Length", length), (b"X", b"y")])

    assert read(raw) == (200, [(b"content-length", length), (b"x", b"y")], b"".join(body), True)


@given(pieces)
def test_a_body_for_an_old_client_ends_with_the_connection(body: list[bytes]) -> None:
    raw, writer = sent(body, version="1.0")

    assert read(raw)[2:] == (b"".join(body), False)
    assert not writer.keep_alive


@pytest.mark.parametrize(("method", "status"), [("HEAD", 200), ("GET", 204), ("GET", 304)])
def test_there_is_no_body_where_there_may_be_none(method: str, status: int) -> None:
    raw, writer = sent([b"a", b"b"], method=method, status=status)

    assert read(raw, method)[2:] == (b"", True)
    assert writer.complete


def test_the_length_of_a_body_that_is_not_sent_is_told() -> None:
    raw, _ = sent([b""], [(b"content-length", b"7")], method="HEAD")

    assert read(raw, "HEAD")[1] == [(b"content-length", b"7")]


def test_what_is_the_connections_own_is_left_out() -> None:
    raw, writer = sent([b""], [(b"Connection", b"close"), (b"Transfer-Encoding", b"gzip")])

    assert read(raw)[1] == [(b"transfer-encoding", b"chunked"), (b"connection", b"close")]
    assert not writer.keep_alive


@pytest.mark.parametrize(
    "header",
    [
        (b"x", b"a\r\nb: c"),
        (b"x", b"\x00"),
        (b"x y", b"a"),
        (b"", b"a"),
        (b"x:", b"a"),
        (b"content-length", b"-1"),
    ],
)
def test_a_header_that_cannot_be_sent_is_an_error(header: tuple[bytes, bytes]) -> None:
    writer = ResponseWriter("GET", "1.1", keep_alive=True)
    with pytest.raises(ValueError, match="cannot be sent"):
        writer.head(200, [header])

    assert writer.head(500, []).startswith(b"HTTP/1.1 500 Internal Server Error\r\n")


@pytest.mark.parametrize("body", [[b"ab"], [b"abcd"], [b"ab", b"cd"]])
def test_a_body_of_another_length_is_an_error(body: list[bytes]) -> None:
    with pytest.raises(ValueError, match="not as long"):
        sent(body, [(b"content-length", b"3")])


def test_a_status_without_a_name() -> None:
    assert sent([b""], status=299)[0].startswith(b"HTTP/1.1 299 \r\n")


def test_what_asks_for_the_body() -> None:
    assert CONTINUE == b"HTTP/1.1 100 Continue\r\n\r\n"
