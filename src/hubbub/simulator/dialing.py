"""A client's connections over the simulated network: the real WebSocket, with every byte."""

from __future__ import annotations

import base64
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from random import Random

import anyio
import httpcore2

from ..client.dial import Dial, Transport
from ..client.transport import WebSocket
from ..testing.simulation.network import Network
from ..testing.simulation.stream import NetworkStream
from ..wire.connection_lost import ConnectionLost
from ..wire.messages import SUBPROTOCOL

__all__ = ["PORT", "SERVER", "dial_over", "server_address"]

# Where the server listens.
SERVER, PORT = "10.1.0.1", 80
# How long a connection may take to open, in seconds.
OPEN_SECONDS_MAX = 5.0
NO_CLOSE_FRAME = 1006
HANDSHAKE = (
    "GET /ws HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Key: {}\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: {}\r\n\r\n"
)
BROKEN = (OSError, anyio.BrokenResourceError, anyio.ClosedResourceError, anyio.EndOfStream)


def server_address(number: int) -> str:
    """Return where a node of a cluster listens; the first is ``SERVER``."""
    return f"10.1.0.{number + 1}"


def dial_over(
    network: Network, host: str, random: Random, nodes: int = 1, *, node: int | None = None
) -> Dial:
    """
    Make the function that connects a client to the server, or to a drawn node of a cluster.

    Args:
        network: the network.
        host: where the client is.
        random: the source of the handshakes' nonces, and of the nodes.
        nodes: how many nodes there are.
        node: the node to connect to, from 0; by default each connection draws it.
    """

    @asynccontextmanager
    async def dial() -> AsyncGenerator[Transport]:
        drawn = random.randrange(nodes) if node is None and nodes > 1 else node
        server = server_address(drawn or 0)
        nonce = base64.b64encode(random.randbytes(16)).decode()
        try:
            with anyio.fail_after(OPEN_SECONDS_MAX):
                stream = await network.connect(host, server, PORT)
                rest = await _shake_hands(stream, nonce)
        except BROKEN as error:
            raise ConnectionLost(NO_CLOSE_FRAME, "the connection could not be opened") from error
        socket = WebSocket(_Carrier(stream, rest))
        try:
            yield socket
        finally:
            await socket.close()
            stream.close()

    return dial


async def _shake_hands(stream: NetworkStream, nonce: str) -> bytes:
    """Open a WebSocket; return the bytes that came after the answer."""
    await stream.send(HANDSHAKE.format(SERVER, nonce, SUBPROTOCOL).encode())
    answer = b""
    while b"\r\n\r\n" not in answer:
        answer += await stream.receive()
    head, _, rest = answer.partition(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 101 "):
        stream.close()
        raise ConnectionLost(NO_CLOSE_FRAME, f"the server answered {head[:80]!r}")
    return rest


class _Carrier(httpcore2.AsyncNetworkStream):
    """A byte stream as httpcore's connections have it."""

    def __init__(self, stream: NetworkStream, rest: bytes) -> None:
        self._stream = stream
        self._rest = rest

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        if self._rest:
            rest, self._rest = self._rest, b""
            return rest
        try:
            with anyio.fail_after(timeout):
                return await self._stream.receive(max_bytes)
        except TimeoutError as error:
            raise httpcore2.ReadTimeout from error
        except anyio.EndOfStream:
            return b""
        except BROKEN as error:
            raise httpcore2.ReadError from error

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        try:
            with anyio.fail_after(timeout):
                await self._stream.send(buffer)
        except TimeoutError as error:
            raise httpcore2.WriteTimeout from error
        except BROKEN as error:
            raise httpcore2.WriteError from error
