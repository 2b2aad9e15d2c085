"""
A server on the simulated network: our own HTTP and WebSockets, with every byte.

It replaces only the sockets of the operating system. The code that parses requests, answers
handshakes, and reads and writes frames is the code of ``hubbub serve``.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

import anyio
from anyio.abc import TaskGroup
from starlette.types import ASGIApp

from ..server.gateway import BUSY, Gateway
from ..server.http import limits
from ..server.http.connection import HttpConnection, Server
from ..server.http.exchange import Gone
from ..server.http.request_head import RequestHead
from ..server.websocket.frames import close_frame
from ..testing.simulation.listener import NetworkListener
from ..testing.simulation.stream import NetworkStream
from .stream_socket import GONE, StreamSocket

__all__ = ["StreamServer"]

logger = logging.getLogger("hubbub.server")


class StreamServer:
    """
    Serves an ASGI application, and the hub's WebSockets, over byte streams.

    Args:
        app: the application.
        gateway: the gateway of the sockets.
        path: the WebSockets' whole path, like ``/ws``.
    """

    def __init__(self, app: ASGIApp, gateway: Gateway, path: str = "/ws") -> None:
        now = gateway.settings.clock.now
        self._server = Server(app, path, now, gateway.unsent, gateway.access_log)
        self._gateway = gateway

    async def serve(self, listener: NetworkListener) -> None:
        """Accept connections until it is cancelled."""
        await listener.serve(self._serve)

    async def _serve(self, stream: NetworkStream) -> None:
        """Serve one connection; its failures end here."""
        address = stream.remote[0]
        try:
            async with stream:
                if self._gateway.places.enter(address):
                    try:
                        await StreamConnection(self._server, self._gateway, stream).run()
                    finally:
                        self._gateway.places.leave(address)
        except GONE:
            return
        except Exception:
            logger.exception("a connection failed")


class StreamConnection:
    """
    One connection, as HTTP, and then perhaps as a WebSocket.

    Args:
        server: what the connections of a server share.
        gateway: makes it a WebSocket.
        stream: the connection.
    """

    def __init__(self, server: Server, gateway: Gateway, stream: NetworkStream) -> None:
        scope = {"scheme": "http", "server": stream.local, "client": stream.remote, "root_path": ""}
        self._stream = stream
        self._gateway = gateway
        self._http = HttpConnection(server, self, lambda: scope, lambda waiting: None)
        self._tasks: TaskGroup
        self._reading = anyio.Event()
        self._reading.set()
        self._deadline = math.inf
        self._patience = anyio.CancelScope()
        self._websocket: tuple[RequestHead, bytes] | None = None

    async def run(self) -> None:
        """Serve it until it closes."""
        async with anyio.create_task_group() as self._tasks:
            self._http.begin()
            try:
                await self._read()
            except GONE:
                self._http.lost()
        if self._websocket is not None:
            head, rest = self._websocket
            await self._shake_hands(head, rest)

    async def _shake_hands(self, head: RequestHead, rest: bytes) -> None:
        answer = self._gateway.handshakes.answer(head.headers, version=head.version)
        await self._stream.send(answer.head)
        if not answer.accepted:
            return
        if self._gateway.full:
            await self._stream.send(close_frame(BUSY, "Too many connections."))
        else:
            await StreamSocket(self._gateway, self._stream, head.headers, rest).run()

    async def send(self, data: bytes | memoryview) -> None:
        """Write, and wait until the network has taken it; see :class:`Wire`."""
        try:
            with anyio.fail_after(limits.WRITE_SECONDS_MAX):
                await self._stream.send(bytes(data))
        except (*GONE, TimeoutError) as error:
            self.abort()
            raise Gone from error

    def pause(self) -> None:
        """Read no more for now."""
        if self._reading.is_set():
            self._reading = anyio.Event()

    def resume(self) -> None:
        """Read on."""
        self._reading.set()

    def set_deadline(self, seconds: float | None) -> None:
        """Set the deadline of the next read."""
        self._deadline = math.inf if seconds is None else anyio.current_time() + seconds
        self._patience.deadline = self._deadline

    def start(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run a task of this connection."""
        self._tasks.start_soon(work)

    def end_writing(self) -> None:
        """Tell the client that no more comes."""
        with suppress(*GONE):
            self._stream.write_eof()

    def close(self) -> None:
        """Close after what was sent."""
        self._stream.close()

    def abort(self) -> None:
        """Close at once."""
        self._stream.reset()

    def take_over(self, head: RequestHead, rest: bytes) -> None:
        """Make a WebSocket of the connection after the last read."""
        self._websocket = head, rest

    async def _read(self) -> None:
        while self._websocket is None:
            data = None
            try:
                with anyio.CancelScope(deadline=self._deadline) as self._patience:
                    await self._reading.wait()
                    data = await self._stream.receive(limits.AHEAD_BYTES_MAX)
            except anyio.EndOfStream:
                self._http.feed_eof()
                return
            if data is None:
                self._deadline = math.inf
                self._http.expired()
            else:
                self._http.feed(data)
