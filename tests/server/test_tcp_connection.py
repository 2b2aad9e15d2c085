"""A connection of our own server: HTTP, then a WebSocket, without a task."""

from __future__ import annotations

import errno
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import anyio
import msgspec
import pytest
from anyio.abc import SocketStream

from hubbub.server.http import limits
from hubbub.server.selector import Selector
from tests.server.raw_client import websocket_key
from tests.server.running import Running, running
from tests.server.serving import only_own_server

pytestmark = only_own_server

GET = b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
PAGE = b"GET /openapi.json HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
UPGRADE = (
    "GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {websocket_key()}\r\n\r\n"
).encode()
CONNECTIONS = 20
PAGES = 50
PATIENCE = 5.0


@asynccontextmanager
async def raw(server: Running) -> AsyncIterator[SocketStream]:
    """Connect."""
    host, _, port = server.address.removeprefix("http://").rpartition(":")
    async with await anyio.connect_tcp(host, int(port)) as stream:
        yield stream


async def read_until(stream: SocketStream, end: bytes) -> bytes:
    """Read until some bytes have come."""
    read = b""
    with anyio.fail_after(PATIENCE):
        while end not in read:
            read += await stream.receive()
    return read


async def test_what_asks_for_nothing_has_no_task() -> None:
    async with running() as server, anyio.create_task_group() as clients:
        before = len(anyio.get_running_tasks())
        for _ in range(CONNECTIONS):
            await clients.start(_hold, server, b"GET /ws HT")
        for _ in range(CONNECTIONS):
            await clients.start(_hold, server, UPGRADE)
        with anyio.fail_after(PATIENCE):
            while server.gateway.places.count < 2 * CONNECTIONS:  # noqa: ASYNC110
                await anyio.sleep(0.01)
        await anyio.wait_all_tasks_blocked()

        # Those of the clients are tasks of this loop as well; and the first WebSocket starts some
        # for all.
        living = len(anyio.get_running_tasks())
        assert living - before < 2 * CONNECTIONS + CONNECTIONS // 2
        clients.cancel_scope.cancel()


async def _hold(server: Running, sent: bytes, *, task_status: anyio.abc.TaskStatus[None]) -> None:
    async with raw(server) as stream:
        await stream.send(sent)
        task_status.started()
        await anyio.sleep_forever()


async def test_a_head_in_pieces_is_read() -> None:
    async with running() as server, raw(server) as stream:
        for at in range(0, len(UPGRADE), 10):
            await stream.send(UPGRADE[at : at + 10])
            await anyio.sleep(0.001)

        assert b" 101 " in await read_until(stream, b"\r\n\r\n")


async def test_a_client_that_reads_late_gets_the_whole_of_every_response() -> None:
    last = PAGE.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    async with running() as server, raw(server) as stream:
        # More than the kernel takes.
        await stream.send(PAGE * (PAGES - 1) + last)
        await anyio.sleep(0.1)
        read = b""
        with anyio.fail_after(PATIENCE), suppress(anyio.EndOfStream):
            while True:
                read += await stream.receive()

    pages = [page.partition(b"\r\n\r\n")[2] for page in read.split(b"HTTP/1.1 200")[1:]]
    assert len(pages) == PAGES
    assert len(set(pages)) == 1
    assert "paths" in msgspec.json.decode(pages[0])


async def test_a_slow_head_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "HEAD_SECONDS_MAX", 0.05)
    async with running() as server, raw(server) as stream, raw(server) as silent:
        await stream.send(b"GET /ws HTTP/1.1\r\nHost: a\r\n")

        assert b" 408 " in await read_until(stream, b"\r\n\r\n")
        with anyio.fail_after(PATIENCE), pytest.raises(anyio.EndOfStream):
            await silent.receive()


async def test_a_refused_handshake_ends_it_and_gives_its_place_back() -> None:
    async with running() as server:
        async with raw(server) as stream:
            await stream.send(UPGRADE.replace(b": 13", b": 8"))
            assert b" 426 " in await read_until(stream, b"\r\n\r\n")
            with anyio.fail_after(PATIENCE), pytest.raises(anyio.EndOfStream):
                await stream.receive()

        assert server.gateway.places.count == 0


async def check_contained(server: Running, caplog: pytest.LogCaptureFixture) -> None:
    """Check that a failure is logged once and holds no place, and that the server still answers."""
    assert server.gateway.places.count == 0
    assert len([one for one in caplog.records if one.exc_info]) == 1
    async with raw(server) as stream:
        await stream.send(UPGRADE)
        assert b" 101 " in await read_until(stream, b"\r\n\r\n")


async def test_a_fault_ends_one_connection_and_gives_its_place_back(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with running() as server:
        with monkeypatch.context() as patched:

            def fail(*_: object, **__: object) -> None:
                raise RuntimeError("a fault")

            patched.setattr(server.gateway.handshakes, "answer", fail)
            async with raw(server) as stream:
                await stream.send(UPGRADE)
                with anyio.fail_after(PATIENCE), pytest.raises(anyio.EndOfStream):
                    await stream.receive()

        await check_contained(server, caplog)


async def test_a_connection_that_cannot_be_watched_gives_its_place_back(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSPC, "no space left on device")

    async with running() as server:
        with monkeypatch.context() as patched:
            patched.setattr(Selector, "watch", refuse)
            async with raw(server) as stream:
                with anyio.fail_after(PATIENCE), pytest.raises(anyio.EndOfStream):
                    await stream.receive()

        await check_contained(server, caplog)


async def test_a_connection_sends_small_frames_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    options: list[int] = []
    whole = socket.socket.accept

    def noting(self: socket.socket) -> tuple[socket.socket, object]:
        accepted = whole(self)
        options.append(accepted[0].getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        return accepted

    monkeypatch.setattr(socket.socket, "accept", noting)
    async with running() as server, raw(server) as stream:
        await stream.send(GET)
        await read_until(stream, b"}")

    assert options
    assert all(options)
