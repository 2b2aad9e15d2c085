"""A closed connection leaves nothing in memory that waits for the collector."""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

import anyio
import pytest
from anyio.lowlevel import checkpoint

from hubbub import Hubbub
from hubbub.server.http.connection import HttpConnection
from hubbub.server.http.exchange import Exchange
from hubbub.server.tcp_connection import TcpConnection
from hubbub.server.uvicorn_protocol import UvicornProtocol
from hubbub.server.websocket.connection import Connection
from hubbub.server.websocket.frame_socket import FrameSocket
from hubbub.server.websocket.request_tasks import RequestTasks
from tests.server.raw_client import connected
from tests.server.running import running
from tests.server.websocket.test_asgi_socket import an_app, browsing

CONNECTIONS = 20
PATIENCE = 5.0
KINDS = (
    Connection,
    Exchange,
    FrameSocket,
    HttpConnection,
    RequestTasks,
    TcpConnection,
    UvicornProtocol,
)
Visit = Callable[[str], Awaitable[None]]


@contextmanager
def without_collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def left() -> Counter[str]:
    """Count the parts of connections that are in memory since the collector last ran."""
    kinds = (type(one) for one in gc.get_objects(0))
    return Counter(kind.__name__ for kind in kinds if issubclass(kind, KINDS))


async def nothing_is_left(hub: Hubbub) -> None:
    """Wait until the server has noticed that its clients are gone."""
    # The journal holds the calls of the last batch until the next.
    async with hub.session("zoe", role="admin") as zoe:
        await zoe.chat.create_room("The last")
    with anyio.move_on_after(PATIENCE):
        while left():  # noqa: ASYNC110
            await anyio.sleep(0.01)

    assert not left()


async def close(address: str) -> None:
    """Open a WebSocket, use it, and close it in order."""
    async with connected(address, "ann") as client:
        room = (await client.ask("chat.create_room", name="Room"))["result"]
        await client.ask("session.follow", stream=room["stream"], after=0)
        await client.ask("chat.history", room_id=room["id"])
        client.protocol.send_close(1000)
        await client.flush()
        await client.close_code()


async def vanish(address: str) -> None:
    """Cut the connection of a WebSocket with requests on their way."""
    async with connected(address, "ann") as client:
        await client.post("games.find_match")
        await client.post("chat.rooms")


async def ask(address: str) -> None:
    """Send one request over HTTP."""
    host, _, port = address.removeprefix("http://").rpartition(":")
    async with await anyio.connect_tcp(host, int(port)) as stream:
        await stream.send(b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        await stream.receive()


async def say_nonsense(address: str) -> None:
    """Send what is no request, and wait for the end."""
    host, _, port = address.removeprefix("http://").rpartition(":")
    async with await anyio.connect_tcp(host, int(port)) as stream:
        await stream.send(b"\x00\r\n\r\n")
        await stream.receive()


@pytest.mark.parametrize("visit", [close, vanish, ask, say_nonsense])
async def test_a_closed_connection_is_freed_at_once(visit: Visit) -> None:
    async with running() as server:
        await visit(server.address)
        with without_collector():
            for _ in range(CONNECTIONS):
                await visit(server.address)
            await nothing_is_left(server.hub)


async def test_the_connection_of_another_server_is_freed_at_once() -> None:
    async with an_app() as (app, gateway):
        with without_collector():
            for _ in range(CONNECTIONS):
                async with browsing(app) as browser:
                    await browser.ask("session.sign_in", nickname="ann")
                    await browser.leave()
                    while gateway.connections:
                        await checkpoint()
            await nothing_is_left(gateway.hub)
