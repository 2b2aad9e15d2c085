"""
The server on trio: a task for each HTTP connection, and a single task for all WebSockets.

A failure of a connection ends only that connection. `HttpConnection` reads the bytes of HTTP, as
on asyncio.
"""

from __future__ import annotations

import logging
import math
import socket
import struct
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from functools import partial
from typing import Any

import trio  # noqa: TID251  # it is a server on trio
from starlette.types import ASGIApp

from .descriptors import EXHAUSTED, SpareDescriptor
from .gateway import BUSY, Gateway
from .http import limits
from .http.connection import HttpConnection, Server, refusal
from .http.exchange import Gone
from .http.request_head import RequestHead
from .websocket.frames import close_frame
from .websocket.trio_selector import TrioSelector
from .websocket.trio_socket import TrioSocket

__all__ = ["TrioServer"]

logger = logging.getLogger("hubbub.server")

READ_BYTES = 64 * 1024
# How long the server waits, in seconds, when it has no descriptor for another connection.
EXHAUSTED_SECONDS = 0.1
# Closing with it resets the connection, and the kernel frees its buffers.
AT_ONCE = struct.pack("ii", 1, 0)


class TrioServer:
    """
    Serves an ASGI application, and the hub's WebSockets.

    Args:
        app: the application.
        gateway: the gateway of the sockets.
        path: the WebSockets' whole path, like ``/ws``.
    """

    def __init__(self, app: ASGIApp, gateway: Gateway, path: str) -> None:
        now = gateway.settings.clock.now
        self._server = Server(app, path, now, gateway.unsent, gateway.access_log)
        self._gateway = gateway
        self._open: set[TrioConnection] = set()
        self._sockets: TrioSelector

    async def serve(
        self,
        listener: socket.socket,
        stopping: Callable[[], Awaitable[None]],
        close_seconds_max: float,
    ) -> None:
        """Accept connections until ``stopping`` returns, then let them end."""
        async with trio.open_nursery() as serving:
            self._sockets = TrioSelector(serving.start_soon)
            serving.start_soon(self._sockets.run)
            async with trio.open_nursery() as connections:
                async with trio.open_nursery() as accepting:
                    accepting.start_soon(self._accept, listener, connections)
                    await stopping()
                    accepting.cancel_scope.cancel()
                for connection in list(self._open):
                    connection.shut_down()
                connections.cancel_scope.deadline = trio.current_time() + close_seconds_max
                connections.start_soon(self._sockets.until_none)
            serving.cancel_scope.cancel()

    async def _accept(self, listener: socket.socket, connections: trio.Nursery) -> None:
        with trio.socket.from_stdlib_socket(listener) as accepting, SpareDescriptor() as spare:
            while True:
                try:
                    accepted, _ = await accepting.accept()
                except OSError as error:
                    if error.errno in EXHAUSTED:
                        spare.turn_away(listener, trio.current_time())
                        await trio.sleep(EXHAUSTED_SECONDS)
                    # Otherwise the client disconnected before the server accepted it.
                    await trio.lowlevel.checkpoint()
                else:
                    connections.start_soon(self._serve, accepted)

    async def _serve(self, accepted: trio.socket.SocketType) -> None:
        """Serve one connection; its failures end here."""
        try:
            with accepted:
                peer = accepted.getpeername()
                await self._serve_peer(accepted, peer)
        except (OSError, trio.BrokenResourceError, trio.ClosedResourceError):
            # The client is gone.
            return
        except Exception:
            logger.exception("a connection failed")

    async def _serve_peer(self, accepted: trio.socket.SocketType, peer: Any) -> None:
        address = str(peer[0]) if isinstance(peer, tuple) else ""
        stream = trio.SocketStream(accepted)
        if not self._gateway.places.enter(address):
            with trio.move_on_after(EXHAUSTED_SECONDS), suppress(trio.BrokenResourceError):
                await stream.send_all(refusal(503, "Too many connections; try again in a moment."))
            return
        connection = TrioConnection(
            self._server, self._gateway, self._sockets, stream, address, peer
        )
        self._open.add(connection)
        try:
            await connection.run()
        finally:
            self._open.discard(connection)
            connection.leave()
            connection.forget()


class TrioConnection:
    """
    One TCP connection, until it closes.

    Args:
        server: what the connections of a server share.
        gateway: where it has a place.
        sockets: serves it when it is a WebSocket.
        stream: the TCP connection.
        address: the other end.
        peer: the same, as the operating system gives it.
    """

    def __init__(  # noqa: PLR0913
        self,
        server: Server,
        gateway: Gateway,
        sockets: TrioSelector,
        stream: trio.SocketStream,
        address: str,
        peer: Any,
    ) -> None:
        self._stream = stream
        self._peer = peer
        self._address = address
        self._gateway = gateway
        self._sockets = sockets
        self._leave: Callable[[], None] = partial(gateway.places.leave, address)
        self._http = HttpConnection(server, self, _scope_of(stream, peer), self._note_waiting)
        self._tasks: trio.Nursery
        self._reading = trio.Event()
        self._reading.set()
        self._deadline = math.inf
        self._patience = trio.CancelScope()
        self._websocket: tuple[RequestHead, bytes] | None = None

    async def run(self) -> None:
        """Serve it, as HTTP, and then perhaps as a WebSocket."""
        async with trio.open_nursery() as self._tasks:
            self._http.begin()
            try:
                await self._read()
            except (trio.BrokenResourceError, trio.ClosedResourceError):
                self._http.lost()
        if self._websocket is not None:
            head, rest = self._websocket
            if (client := await self._shake_hands(head)) is not None:
                await client.run(rest)

    def leave(self) -> None:
        """Release the place."""
        self._gateway.places.wait_no_more(self)
        self._leave()
        self._leave = _nothing

    def forget(self) -> None:
        """Drop what holds the connection, so that no memory waits for the collector."""
        del self._http, self._tasks

    def shut_down(self) -> None:
        """Close after the response that is being sent."""
        if self._websocket is None:
            self._http.shut_down()

    # Called by the connection

    async def send(self, data: bytes | memoryview) -> None:
        """Write, and wait until the kernel has taken it."""
        try:
            with trio.move_on_after(limits.WRITE_SECONDS_MAX) as patience:
                await self._stream.send_all(data)
        except (trio.BrokenResourceError, trio.ClosedResourceError) as error:
            raise Gone from error
        if patience.cancelled_caught:
            self.abort()
            raise Gone

    def pause(self) -> None:
        """Read no more for now."""
        if self._reading.is_set():
            self._reading = trio.Event()

    def resume(self) -> None:
        """Read on."""
        self._reading.set()

    def set_deadline(self, seconds: float | None) -> None:
        """Set the deadline of the next read."""
        self._deadline = math.inf if seconds is None else trio.current_time() + seconds
        self._patience.deadline = self._deadline

    def start(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run a task of this connection."""
        self._tasks.start_soon(work)

    def end_writing(self) -> None:
        """Tell the client that no more data comes."""
        with suppress(OSError):
            self._stream.socket.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """Close; the kernel has what was sent."""
        self._stream.socket.close()

    def abort(self) -> None:
        """Close at once."""
        with suppress(OSError):
            self._stream.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
        self._stream.socket.close()

    def take_over(self, head: RequestHead, rest: bytes) -> None:
        """Make a WebSocket of the connection after the last read."""
        self._websocket = head, rest

    async def _read(self) -> None:
        while self._websocket is None:
            data = None
            with trio.CancelScope(deadline=self._deadline) as self._patience:
                await self._reading.wait()
                data = await self._stream.receive_some(READ_BYTES)
            if data is None:
                self._deadline = math.inf
                self._http.expired()
            elif data:
                self._http.feed(bytes(data))
            else:
                self._http.feed_eof()
                return

    async def _shake_hands(self, head: RequestHead) -> TrioSocket | None:
        """Answer a handshake, and make a WebSocket of the connection if it was accepted."""
        gateway, stream = self._gateway, self._stream
        answer = gateway.handshakes.answer(head.headers, version=head.version)
        await stream.send_all(answer.head)
        log_end = gateway.access_log.opened(head, self._peer, answer.head)
        if answer.accepted and not gateway.full:
            return self._hand_over(head, log_end)
        if answer.accepted:
            await stream.send_all(close_frame(BUSY, "Too many connections."))
        return None

    def _hand_over(self, head: RequestHead, log_end: Callable[[], None]) -> TrioSocket:
        """Give the connection and its place to a WebSocket, which keeps nothing of HTTP."""
        leave, whole = self._leave, self._stream.socket

        def on_lost() -> None:
            leave()
            log_end()

        # trio watches it no longer; the socket below is small, and has its descriptor.
        trio.lowlevel.notify_closing(whole)
        own = socket.socket(whole.family, whole.type, whole.proto, whole.detach())
        try:
            own.setblocking(False)
            client = TrioSocket(
                self._gateway, self._sockets, own, self._address, head.headers, on_lost
            )
        except BaseException:
            own.close()
            raise
        self._leave = _nothing
        return client

    def _note_waiting(self, waiting: bool) -> None:
        if waiting:
            self._gateway.places.wait(self, self._let_go)
        else:
            self._gateway.places.wait_no_more(self)

    def _let_go(self) -> None:
        """Release the place for another client, now."""
        self.leave()
        self.abort()


def _scope_of(stream: trio.SocketStream, peer: Any) -> dict[str, Any]:
    own = stream.socket.getsockname()
    return {
        "scheme": "http",
        "server": (own[0], own[1]) if isinstance(own, tuple) else (own, None),
        "client": (peer[0], peer[1]) if isinstance(peer, tuple) else None,
        "root_path": "",
    }


def _nothing() -> None:
    pass
