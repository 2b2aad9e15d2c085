"""The memory of an idle connection, and a failure that ends only its own connection."""

from __future__ import annotations

import gc
import logging
import socket
import tracemalloc
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import anyio
import pytest
from anyio import to_thread

from hubbub.server.websocket.frame_socket import FrameSocket
from tests.server.raw_client import connected, masked, websocket_key
from tests.server.running import running

# The limit of the benchmark: KB that an idle connection takes, on trio.
MEMORY_MAX = 10 * 1024
WARM, COUNT = 30, 100
PATIENCE = 10.0

HANDSHAKE = (
    "GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    f"Sec-WebSocket-Key: {websocket_key()}\r\nSec-WebSocket-Version: 13\r\n\r\n"
).encode()
SIGN_IN = masked(0x81, b'{"jsonrpc":"2.0","id":1,"method":"session.sign_in","params":{}}')


def sign_in(address: str) -> socket.socket:
    """Open a WebSocket that signs in and does nothing else; it takes little memory itself."""
    host, _, port = address.removeprefix("http://").rpartition(":")
    opened = socket.create_connection((host, int(port)), PATIENCE)
    opened.sendall(HANDSHAKE + SIGN_IN)
    heard = b""
    while b"journal_id" not in heard:
        heard += opened.recv(4096)
    return opened


@asynccontextmanager
async def idle(address: str, count: int) -> AsyncIterator[list[socket.socket]]:
    opened = [await to_thread.run_sync(sign_in, address) for _ in range(count)]
    try:
        yield opened
    finally:
        for one in opened:
            one.close()


@contextmanager
def tracing() -> Iterator[None]:
    tracemalloc.start(1)
    try:
        yield
    finally:
        tracemalloc.stop()


def memory() -> int:
    gc.collect()
    return tracemalloc.get_traced_memory()[0]


async def test_an_idle_connection_takes_little_memory_and_no_task() -> None:
    with tracing():
        async with running() as server, idle(server.address, WARM):
            before, tasks = memory(), len(anyio.get_running_tasks())
            async with idle(server.address, COUNT):
                after, tasks_after = memory(), len(anyio.get_running_tasks())

    assert (after - before) / COUNT < MEMORY_MAX
    assert tasks_after <= tasks + 1


async def test_a_fault_in_one_connection_ends_it_alone_and_is_logged_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with running() as server, connected(server.address, "ann") as ann:
        async with connected(server.address, "bob") as bob:
            [_, its] = server.gateway.connections.values()
            whole = FrameSocket.release

            def fail(self: Any) -> None:
                whole(self)
                if self is its:
                    raise RuntimeError("a fault")

            monkeypatch.setattr(FrameSocket, "release", fail)
            await bob.stream.aclose()
            with anyio.fail_after(PATIENCE):
                while server.gateway.places.count > 1:  # noqa: ASYNC110
                    await anyio.sleep(0.01)

        assert "result" in await ann.ask("users.online")
    assert len([one for one in caplog.records if one.levelno >= logging.ERROR]) == 1
