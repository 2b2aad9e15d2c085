"""The server ends everything that never ends: heads, bodies, silence."""

from __future__ import annotations

import time
from contextlib import ExitStack
from typing import NamedTuple

import pytest

from tests.blackbox.raw import Raw, handshake_of
from tests.blackbox.served import Served

HOST = b" HTTP/1.1\r\nHost: x\r\n"
CHUNKED = b"POST /api/users/sign_in" + HOST + b"Transfer-Encoding: chunked\r\n\r\n"
FIELDS = (b"X: " + b"a" * 1_000 + b"\r\n") * 64

# So much is sent where the server reads; it stops long before.
SENT_BYTES_MAX = 64 * 1024 * 1024
MEMORY_MAX = 24.0
# A head must be complete in ten seconds, and a connection begin with one.
HEAD_SECONDS_MAX = 16.0


class Endless(NamedTuple):
    """The beginning, and the part that repeats without end."""

    name: str
    first: bytes
    more: bytes


ENDLESS = [
    Endless("a target", b"GET /", b"a" * 65_536),
    Endless("a field", b"GET /" + HOST + b"X: ", b"a" * 65_536),
    Endless("fields", b"GET /" + HOST, FIELDS),
    Endless("small fields", b"GET /" + HOST, b"a:b\r\n" * 13_000),
    Endless("fields of a handshake", handshake_of()[:-2], FIELDS),
    Endless("a field of a handshake", handshake_of()[:-2] + b"X: ", b"a" * 65_536),
    Endless("empty lines", b"", b"\r\n" * 32_768),
    Endless("trailers", CHUNKED + b"0\r\n", FIELDS),
    Endless("an extension of a chunk", CHUNKED + b"1;", b"a" * 65_536),
    Endless("chunks", CHUNKED, b"10000\r\n" + b" " * 65_536 + b"\r\n"),
    Endless("chunks of one byte", CHUNKED, b"1\r\n \r\n" * 10_000),
    Endless("a body", b"POST /api/users/sign_in" + HOST + b"Content-Length: 999999999\r\n\r\n",
            b" " * 65_536),
    Endless("a body of a GET", b"GET /health" + HOST + b"Content-Length: 999999999\r\n\r\n",
            b" " * 65_536),
    Endless("a body where no POST is", b"POST /" + HOST + b"Content-Length: 999999999\r\n\r\n",
            b" " * 65_536),
    Endless("a body where nothing is", b"POST /none" + HOST + b"Content-Length: 999999999\r\n\r\n",
            b" " * 65_536),
]  # fmt: skip

SLOW = {
    "nothing": b"",
    "half a line": b"GET /he",
    "half a line of a handshake": b"GET /w",
    "half a head": b"GET /health" + HOST,
    "half a handshake": handshake_of()[:-2],
    "empty lines": b"\r\n\r\n",
    "nothing after a handshake": handshake_of(),
    "half a frame after a handshake": handshake_of() + b"\x81\xfe\xff\xff\0\0\0\0abc",
    "nothing after an answer": b"GET /health" + HOST + b"\r\n",
}


@pytest.mark.parametrize("case", ENDLESS, ids=lambda case: case.name)
def test_what_never_ends_is_not_read_and_not_kept(server: Served, case: Endless) -> None:
    before = server.memory
    with Raw(server.port) as client:
        sent = pour(client, case)
        grown = server.memory - before

    assert sent < SENT_BYTES_MAX
    assert grown <= MEMORY_MAX


def pour(client: Raw, case: Endless) -> int:
    """Send until the server does not take it; return how many bytes it took."""
    sent = 0
    client.socket.settimeout(2.0)
    try:
        client.socket.sendall(case.first)
        while sent < SENT_BYTES_MAX:
            client.socket.sendall(case.more)
            sent += len(case.more)
    except OSError:
        pass
    return sent


@pytest.mark.timeout(60)
def test_a_connection_that_says_too_little_is_let_go(server: Served) -> None:
    with ExitStack() as stack:
        clients = {name: stack.enter_context(Raw(server.port)) for name in SLOW}
        for name, data in SLOW.items():
            clients[name].send(data)
        ends = time.perf_counter() + HEAD_SECONDS_MAX
        stay = [name for name, client in clients.items() if not ended(client, ends)]

    assert not stay


def ended(client: Raw, ends: float) -> bool:
    """Read until the end, or until a time has come."""
    try:
        client.read_to_the_end(max(0.01, ends - time.perf_counter()))
    except TimeoutError:
        return False
    return True
