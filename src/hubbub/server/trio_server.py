"""
The server on trio: WebSockets at their path, and hypercorn for everything else.

A connection's first bytes tell what it is.
"""

from __future__ import annotations

import socket
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from typing import Any, NamedTuple

import h11
import trio  # noqa: TID251  # it is a server on trio
from hypercorn.config import Config
from hypercorn.trio.tcp_server import TCPServer
from hypercorn.trio.worker_context import WorkerContext
from hypercorn.typing import LifespanState
from hypercorn.utils import wrap_app

from .frames import close_frame
from .gateway import BUSY, Gateway
from .trio_socket import TrioSocket

__all__ = ["TrioServer"]

READ_BYTES = 64 * 1024
HEAD_BYTES_MAX = 16 * 1024
HEAD_SECONDS_MAX = 10.0


async def take_over(
    gateway: Gateway,
    stream: trio.SocketStream,
    headers: Iterable[tuple[bytes, bytes]],
    rest: bytes,
) -> None:
    """Serve a WebSocket whose handshake was accepted, until it ends."""
    stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    await TrioSocket(gateway, stream, headers).run(rest)


class TrioServer:
    """
    Serves an ASGI application with hypercorn, and the hub's WebSockets itself.

    Args:
        app: the application.
        gateway: what the sockets belong to.
        path: the WebSockets' whole path, like ``/ws``.
    """

    def __init__(self, app: Any, gateway: Gateway, path: str) -> None:
        self._config = Config()
        self._config.accesslog = None
        self._app = wrap_app(app, self._config.wsgi_max_body_size, "asgi")
        self._context = WorkerContext(None)
        self._gateway = gateway
        self._start = f"GET {path}".encode()
        self._path = path.encode()

    async def serve(
        self, listener: Any, stopping: Callable[[], Awaitable[None]], close_seconds_max: float
    ) -> None:
        """Accept connections until ``stopping`` returns, then let them end."""
        listeners = [trio.SocketListener(trio.socket.from_stdlib_socket(listener))]
        async with trio.open_nursery() as connections:
            async with trio.open_nursery() as accepting:
                serve = partial(trio.serve_listeners, handler_nursery=connections)
                accepting.start_soon(serve, self._handle, listeners)
                await stopping()
                accepting.cancel_scope.cancel()
            await self._context.terminated.set()
            connections.cancel_scope.deadline = trio.current_time() + close_seconds_max

    async def _handle(self, stream: trio.SocketStream) -> None:
        async with stream:
            try:
                with trio.move_on_after(HEAD_SECONDS_MAX) as patience:
                    head = await self._read_head(stream)
                if patience.cancelled_caught:
                    return
                request = self._parse(head)
                if request is None:
                    await self._serve_http(stream, head)
                elif await self._handshake(stream, request.headers):
                    await take_over(self._gateway, stream, request.headers, request.rest)
            except (trio.BrokenResourceError, trio.ClosedResourceError, ConnectionError):
                # The client went away in the middle; it will not hear more of it.
                return

    async def _read_head(self, stream: trio.SocketStream) -> bytes:
        """Read until it is clear what the connection is; for a WebSocket, the whole head."""
        head = b""
        while data := await stream.receive_some(READ_BYTES):
            head += data
            known = len(head) >= len(self._start) and not head.startswith(self._start)
            if known or b"\r\n\r\n" in head or len(head) > HEAD_BYTES_MAX:
                break
        return head

    def _parse(self, head: bytes) -> _Request | None:
        """Return a request that asks for one of our WebSockets, or None."""
        if not head.startswith(self._start) or b"\r\n\r\n" not in head:
            return None
        parser = h11.Connection(h11.SERVER)
        try:
            parser.receive_data(head)
            event = parser.next_event()
        except h11.RemoteProtocolError:
            return None
        if not isinstance(event, h11.Request) or event.target.partition(b"?")[0] != self._path:
            return None
        headers = list(event.headers)
        if dict(headers).get(b"upgrade", b"").lower() != b"websocket":
            return None
        return _Request(headers, head.partition(b"\r\n\r\n")[2])

    async def _handshake(
        self, stream: trio.SocketStream, headers: list[tuple[bytes, bytes]]
    ) -> bool:
        answer = self._gateway.handshakes.answer(headers)
        await stream.send_all(answer.head)
        if answer.accepted and self._gateway.full:
            await stream.send_all(close_frame(BUSY, "Too many connections."))
        return answer.accepted and not self._gateway.full

    async def _serve_http(self, stream: trio.SocketStream, head: bytes) -> None:
        replayed: Any = _Replayed(stream, head)
        await TCPServer(self._app, self._config, self._context, LifespanState(), replayed)


class _Request(NamedTuple):
    headers: list[tuple[bytes, bytes]]
    # What came behind the head.
    rest: bytes


class _Replayed:
    """A stream whose first bytes were read already, and are read once more."""

    def __init__(self, stream: trio.SocketStream, head: bytes) -> None:
        self.socket = stream.socket
        self.send_all = stream.send_all
        self.send_eof = stream.send_eof
        self.aclose = stream.aclose
        self._stream = stream
        self._head = head

    async def receive_some(self, bytes_max: int) -> bytes | bytearray:
        if self._head:
            head, self._head = self._head, b""
            return head
        return await self._stream.receive_some(bytes_max)
