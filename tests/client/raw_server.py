"""A WebSocket server that does to a client what a test wants."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import anyio
from anyio.abc import SocketAttribute, SocketStream

from hubbub import Settings
from hubbub.server.websocket.frames import Frames
from hubbub.server.websocket.handshake import Handshakes

__all__ = ["Script", "raw_server", "shake_hands"]

# What a server does with a connection.
Script = Callable[[SocketStream], Awaitable[None]]


@asynccontextmanager
async def raw_server(script: Script) -> AsyncIterator[str]:
    """Listen, and let a script serve each connection; gives the URL of the WebSocket."""
    async with await anyio.create_tcp_listener(local_host="127.0.0.1") as listener:
        port = listener.extra(SocketAttribute.local_port)  # noqa: S610  # no database here

        async def serve(stream: SocketStream) -> None:
            async with stream:
                await script(stream)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(listener.serve, serve)
            yield f"http://127.0.0.1:{port}/ws"
            tasks.cancel_scope.cancel()


async def shake_hands(stream: SocketStream) -> None:
    """Answer a client's opening handshake as it should be."""
    await stream.send(Handshakes(Settings()).answer(await read_headers(stream)).head)


async def read_headers(stream: SocketStream) -> list[tuple[bytes, bytes]]:
    """Read a request's head."""
    head = b""
    while b"\r\n\r\n" not in head:
        head += await stream.receive()
    lines = head.partition(b"\r\n\r\n")[0].split(b"\r\n")[1:]
    pairs = (line.split(b": ", 1) for line in lines)
    return [(name.lower(), value) for name, value in pairs]


async def read_frames(stream: SocketStream, count: int) -> list[tuple[int, bytes]]:
    """Read frames: opcode and payload."""
    frames, found = Frames(1 << 20), list[tuple[int, bytes]]()
    while len(found) < count:
        found += [(opcode, bytes(data)) for opcode, data in frames.feed(await stream.receive())]
    return found
