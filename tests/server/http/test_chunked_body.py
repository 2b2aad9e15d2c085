"""A body that comes in chunks."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubbub.server.http.chunked_body import ChunkedBody
from hubbub.server.http.limits import (
    BODY_BYTES_MAX,
    CHUNK_LINE_BYTES_MAX,
    CHUNK_OVERHEAD_BYTES_MAX,
    TRAILER_BYTES_MAX,
)
from hubbub.server.http.request_head import Refused


def taken(raw: bytes, step: int = 1 << 30) -> tuple[bytes, bool, bytes]:
    """Take a body that comes in pieces; return it, whether it is complete, and what is left."""
    body, buffer, found = ChunkedBody(), bytearray(), b""
    for start in range(0, len(raw), step):
        buffer += raw[start : start + step]
        found += body.take(buffer)
    return found, body.complete, bytes(buffer)


def status_of(raw: bytes) -> int:
    with pytest.raises(Refused) as refused:
        taken(raw)
    return refused.value.status


def test_it_is_put_together_and_what_is_behind_it_is_left() -> None:
    raw = b"5;a=b\r\nhello\r\n6 \r\n world\r\n0\r\nX: y\r\n\r\nGET"

    assert taken(raw) == (b"hello world", True, b"GET")


@given(st.lists(st.binary(min_size=1, max_size=40), max_size=6), st.integers(1, 9), st.binary())
def test_however_it_is_cut(pieces: list[bytes], step: int, behind: bytes) -> None:
    raw = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"

    assert taken(raw + behind, step) == (b"".join(pieces), True, behind)


@pytest.mark.parametrize(
    "raw",
    [
        b"x\r\n",
        b"-1\r\n",
        b"+1\r\n",
        b"0x1\r\n",
        b"\r\n",
        b" 1\r\n",
        b"ffffffffffffffffff\r\n",
        b"1\na\n0\n\n",
        b"1\ra",
        b"1;\x00\r\n",
        b"1\r\nab\r\n",
        b"1\r\na\n0\r\n\r\n",
        b"0\r\nX y\r\n\r\n",
        b"0\r\nX: y\n\r\n",
        b"0\r\n X: y\r\n\r\n",
    ],
)
def test_what_is_wrong_is_refused(raw: bytes) -> None:
    assert status_of(raw + b"z" * CHUNK_LINE_BYTES_MAX) == 400


def test_a_body_that_is_too_large() -> None:
    assert status_of(b"%x\r\n" % (BODY_BYTES_MAX + 1)) == 413


def test_an_endless_line() -> None:
    assert status_of(b"1;" + b"a" * CHUNK_LINE_BYTES_MAX) == 400


def test_fields_behind_the_body_have_a_limit() -> None:
    assert status_of(b"0\r\n" + b"X: y\r\n" * TRAILER_BYTES_MAX) == 431


def test_many_chunks_of_nothing_much_have_one() -> None:
    line = b"1;" + b"a" * (CHUNK_LINE_BYTES_MAX - 10)
    count = CHUNK_OVERHEAD_BYTES_MAX // len(line) + 2

    assert status_of((line + b"\r\nx\r\n") * count) == 400


@given(st.binary(), st.integers(1, 9))
def test_whatever_comes_is_refused_or_read(raw: bytes, step: int) -> None:
    try:
        found, _, left = taken(raw, step)
    except Refused:
        return

    assert len(found) + len(left) <= len(raw)
