"""The servers of both backends, over real connections: nothing that a client does is kept."""

from __future__ import annotations

import logging
import random
import socket
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import anyio
import pytest
from anyio.abc import SocketAttribute, SocketStream

import hubbub
from hubbub.server import run
from hubbub.server.http import limits as http_limits
from hubbub.server.http.connection import HttpConnection
from hubbub.server.http.limits import HEAD_BYTES_MAX
from tests.server.raw_client import connected, websocket_key
from tests.server.running import SETTINGS, Running, running
from tests.server.serving import only_own_server

GET = b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n"
POST = b"POST /api/users/sign_in HTTP/1.1\r\nHost: x\r\nContent-Length: 18\r\n\r\n"
CHUNKED = POST.replace(b"Content-Length: 18", b"Transfer-Encoding: chunked")
UPGRADE = (
    "GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {websocket_key()}\r\n\r\n"
).encode()
PAGE = b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n"
JUNK = [
    GET,
    GET * 5,
    POST + b'{"nickname":"Ann"}',
    PAGE,
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0",
    GET[:-2] + b"Connection: Upgrade\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n",
    b"POST /api/users/sign_in HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc",
    b"GET /api/events?stream=room/x HTTP/1.1\r\nHost: x\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200),
    b"GET /web/core/app.js HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /\xff HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\nA: \xff\xfe\r\n\r\n",
]
CONNECTIONS = 300


@asynccontextmanager
async def raw(server: Running) -> AsyncIterator[SocketStream]:
    port = int(server.address.rpartition(":")[2])
    async with await anyio.connect_tcp("127.0.0.1", port) as stream:
        yield stream


async def read_to_the_end(stream: SocketStream) -> bytes:
    whole = b""
    with anyio.fail_after(10), suppress(anyio.EndOfStream):
        while True:
            whole += await stream.receive()
    return whole


async def read_until(stream: SocketStream, end: bytes) -> bytes:
    read = b""
    with anyio.fail_after(10):
        while end not in read:
            read += await stream.receive()
    return read


async def until(condition: Callable[[], bool]) -> None:
    with anyio.fail_after(10):
        while not condition():
            await anyio.lowlevel.checkpoint()


async def test_an_answer() -> None:
    async with running() as server, raw(server) as stream:
        await stream.send(GET[:-2] + b"Connection: close\r\n\r\n")
        answer = await read_to_the_end(stream)

    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b'"status":"ok"' in answer


@pytest.mark.parametrize(
    ("start", "more", "status"),
    [
        (b"GET / HTTP/1.1\r\nHost: x\r\nX: ", b"a" * 1_000, 431),
        (b"GET / HTTP/1.1\r\nHost: x\r\n", b"a:b\r\n" * 200, 431),
        (b"GET /ws HTTP/1.1\r\nHost: x\r\nX: ", b"a" * 1_000, 431),
        (b"GET /", b"a" * 1_000, 414),
        (CHUNKED + b"1;", b"a" * 1_000, 400),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 999999999\r\n\r\n", b"a" * 1_000, 413),
        (POST.replace(b"18", b"900000"), b"a" * 1_000, 413),
    ],
)
async def test_what_has_no_end_is_refused_and_the_answer_arrives(
    start: bytes, more: bytes, status: int
) -> None:
    async with running() as server, raw(server) as stream:
        await stream.send(start)
        # Some of it is still on its way when the server answers.
        for _ in range(3 * HEAD_BYTES_MAX // len(more)):
            await stream.send(more)
        answer = await read_to_the_end(stream)

    assert answer.startswith(b"HTTP/1.1 %d " % status)


@pytest.mark.parametrize("head", [b"POST / HTTP/1.1\r\n", b"POST /nothing HTTP/1.1\r\n"])
async def test_an_endless_body_is_not_read_for_ever(head: bytes) -> None:
    async with running() as server, raw(server) as stream:
        await stream.send(head + b"Host: x\r\nContent-Length: 1000000\r\n\r\n")
        with anyio.move_on_after(10) as patience, suppress(anyio.BrokenResourceError):
            while True:
                await stream.send(bytes(65_536))

    assert not patience.cancelled_caught


@pytest.mark.parametrize("start", [b"", b"GET /heal", b"GET /ws HTTP/1.1\r\n", GET + b"G"])
async def test_who_does_not_go_on_is_let_go(start: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    assert http_limits.HEAD_SECONDS_MAX > 1
    monkeypatch.setattr(http_limits, "HEAD_SECONDS_MAX", 0.05)
    async with running() as server, raw(server) as stream:
        if start:
            await stream.send(start)
        answer = await read_to_the_end(stream)

        assert answer.count(b"HTTP/1.1 408 ") == (1 if start else 0)
    assert server.gateway.places.count == 0


async def test_who_sends_half_a_body_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_limits, "BODY_SECONDS_MAX", 0.05)
    async with running() as server, raw(server) as stream:
        await stream.send(POST + b"{")

        assert (await read_to_the_end(stream)).startswith(b"HTTP/1.1 408 ")


async def test_who_asks_for_nothing_more_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_limits, "IDLE_SECONDS_MAX", 0.05)
    async with running() as server, raw(server) as stream:
        await stream.send(GET)

        assert (await read_to_the_end(stream)).count(b"HTTP/1.1") == 1


async def test_who_does_not_read_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_limits, "WRITE_SECONDS_MAX", 0.1)
    monkeypatch.setattr(http_limits, "LINGER_SECONDS_MAX", 0.1)
    async with running() as server, raw(server) as stream:
        with anyio.move_on_after(10) as patience, suppress(anyio.BrokenResourceError):
            while True:
                await stream.send(PAGE * 1_000)
        await until(lambda: server.gateway.places.count == 0)

    assert not patience.cancelled_caught


async def test_whatever_comes_nobody_else_notices(caplog: pytest.LogCaptureFixture) -> None:
    seed = random.SystemRandom().randrange(1 << 32)
    print("seed", seed)  # noqa: T201  # it repeats a run that failed
    chance = random.Random(seed)
    async with running() as server, connected(server.address, "ann") as ann:
        for _ in range(CONNECTIONS):
            await meddle(server, chance)
        assert "result" in await ann.ask("users.online")
        await until(lambda: server.gateway.places.count == 1)

    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


async def meddle(server: Running, chance: random.Random) -> None:
    """Send something, or a part of it, and go in one way or another."""
    data = chance.choice(JUNK) + chance.choice([b"", chance.randbytes(20), GET])
    if chance.random() < 0.3:
        data = data[: chance.randrange(len(data))]
    with suppress(anyio.BrokenResourceError, anyio.EndOfStream):
        async with raw(server) as stream:
            if data:
                await stream.send(data)
            if chance.random() < 0.4:
                with anyio.move_on_after(0.01):
                    await stream.receive()
            if chance.random() < 0.3:
                await stream.send_eof()
            if chance.random() < 0.5:
                own = stream.extra(SocketAttribute.raw_socket)  # noqa: S610  # this is no Django
                own.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


@pytest.mark.parametrize("method", ["feed", "answered", "feed_eof"])
async def test_a_fault_of_ours_ends_one_connection(
    method: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*args: object) -> None:
        raise ValueError("a fault of ours")

    async with running() as server, connected(server.address, "ann") as ann:
        monkeypatch.setattr(HttpConnection, method, fail)
        with suppress(anyio.BrokenResourceError):
            async with raw(server) as stream:
                await stream.send(GET)
                if method == "feed_eof":
                    await stream.send_eof()
                await read_to_the_end(stream)
        await until(lambda: server.gateway.places.count == 1)

        assert "result" in await ann.ask("users.online")
    assert [record.levelno for record in caplog.records] == [logging.ERROR]


# Places


def settings(connections: int, address: int = 1_000) -> hubbub.Settings:
    return hubbub.Settings(
        connections_max=connections, connections_per_address_max=address, trusted_proxies=()
    )


async def test_an_address_has_only_so_many_connections() -> None:
    async with running(settings=settings(100, address=2)) as server:
        async with raw(server) as first, connected(server.address, "ann"):
            await first.send(GET)
            await first.receive()
            async with raw(server) as third:
                assert (await read_to_the_end(third)).startswith(b"HTTP/1.1 503 ")
        await until(lambda: server.gateway.places.count == 0)
        async with connected(server.address, "bob") as bob:
            assert "result" in await bob.ask("users.online")


async def test_who_asks_for_something_gets_the_place_of_who_does_not() -> None:
    async with (
        running(settings=SETTINGS_OF_TWO) as server,
        connected(server.address, "ann") as ann,
        raw(server) as silent,
        raw(server) as asking,
    ):
        await asking.send(GET[:-2] + b"Connection: close\r\n\r\n")

        assert (await read_to_the_end(asking)).startswith(b"HTTP/1.1 200 ")
        with pytest.raises((anyio.EndOfStream, anyio.BrokenResourceError)):
            await silent.receive()
        assert "result" in await ann.ask("users.online")


# One for a socket, and one to spare.
SETTINGS_OF_TWO = hubbub.Settings(connections_max=1)


async def test_a_socket_gives_its_place_back() -> None:
    async with running() as server:
        async with connected(server.address, "ann"):
            assert server.gateway.places.count == 1
        await until(lambda: server.gateway.places.count == 0)


async def test_a_user_has_only_so_many_streams_of_events() -> None:
    few = hubbub.Settings(connections_per_user_max=2)  # and the socket is one
    async with running(settings=few) as server, connected(server.address) as ann:
        token = (await ann.sign_in("ann"))["token"]
        room = (await ann.ask("chat.create_room", name="r"))["result"]
        line = f"GET /api/events?stream={room['stream']} HTTP/1.1\r\nHost: x\r\n"
        ask = f"{line}Authorization: Bearer {token}\r\n\r\n"
        server.gateway.places.enter_user("somebody else")
        async with raw(server) as first, raw(server) as second:
            await first.send(ask.encode())
            assert (await first.receive()).startswith(b"HTTP/1.1 200 ")
            await second.send(ask.encode())
            refused = await second.receive()
        await until(lambda: not server.gateway.event_streams)
        async with raw(server) as third:
            await third.send(ask.encode())
            assert (await third.receive()).startswith(b"HTTP/1.1 200 ")

    assert refused.startswith(b"HTTP/1.1 503 ")


# Stopping


@only_own_server
async def test_stopping_waits_for_nobody_who_does_not_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "CLOSE_SECONDS_MAX", 0.1)
    async with running(settings=SETTINGS) as server, raw(server) as half, raw(server) as unread:
        await half.send(POST)
        await unread.send(PAGE * 1_000)
        await until(lambda: server.gateway.places.count == 2)
        server.stop.set()
        await until(lambda: server.gateway.places.count == 0)


async def test_after_requests_it_becomes_a_websocket_as_well() -> None:
    async with running() as server, raw(server) as stream:
        for _ in range(2):
            await stream.send(GET)
            await read_until(stream, b"}")
        await stream.send(UPGRADE)

        assert b" 101 " in await read_until(stream, b"\r\n\r\n")


async def test_a_handshake_right_behind_a_request_is_answered_after_it() -> None:
    async with running() as server, raw(server) as stream:
        # The end of the first response takes the second request.
        await stream.send(GET + UPGRADE)
        read = await read_until(stream, b"Sec-WebSocket-Accept")

        assert [line[:3] for line in read.split(b"HTTP/1.1 ")[1:]] == [b"200", b"101"]
