"""
A protocol class for your own uvicorn: HTTP and WebSockets as our own server handles them.

uvicorn accepts the connections and stops the server; this class reads the bytes of each
connection.
"""

from __future__ import annotations

import asyncio  # noqa: TID251  # it is a protocol of uvicorn's loop
import logging
import socket
import struct
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, ClassVar, cast

import anyio
from uvicorn.config import Config
from uvicorn.server import ServerState

from ..wake_up import WakeUp
from .gateway import BUSY, Gateway
from .http import limits
from .http.connection import HttpConnection, Server, refusal
from .http.exchange import Gone
from .http.request_head import RequestHead
from .websocket.asyncio_socket import AsyncioSocket
from .websocket.frames import close_frame

__all__ = ["UvicornProtocol", "http_protocol"]

logger = logging.getLogger("hubbub.server")

# If a timer is later than this, in seconds, the server itself was busy. Then it first reads what
# the client sent meanwhile.
LATE_SECONDS = 1.0
# Closing with it resets the connection, and the kernel frees its buffers.
AT_ONCE = struct.pack("ii", 1, 0)


class UvicornProtocol(asyncio.Protocol):
    """One connection; :func:`http_protocol` makes the class for a gateway."""

    gateway: ClassVar[Gateway]
    path: ClassVar[str]
    shared: ClassVar[dict[int, Server]]

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        if not config.loaded:
            config.load()
        self._config = config
        self._app_state = app_state
        self._loop = _loop or asyncio.get_running_loop()
        self._connections = server_state.connections
        self._tasks = server_state.tasks
        self._transport: asyncio.Transport
        self._peer: Any = None
        self._http: HttpConnection | None = None
        # The address that the connection has a place for.
        self._place: str | None = None
        self._timer: asyncio.TimerHandle | None = None
        # Aborts the connection when the client does not close it.
        self._lingering: asyncio.TimerHandle | None = None
        self._writable = True
        self._resumed = WakeUp()

    # Called by asyncio

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take a place, or answer that there is none."""
        # uvloop's class of transports does not derive from it.
        self._transport = transport = cast("asyncio.Transport", transport)
        peer = transport.get_extra_info("peername")
        address = _host_of(peer)
        places = self.gateway.places
        if not places.enter(address):
            transport.write(refusal(503, "Too many connections; try again in a moment."))
            self.close()
            return
        self._place = address
        try:
            self._begin(peer)
        except Exception:
            logger.exception("a connection failed")
            self.abort()

    def data_received(self, data: bytes) -> None:
        """Take bytes from the network."""
        if self._http is None:
            return
        try:
            self._http.feed(data)
        except Exception:
            logger.exception("a connection failed")
            self.abort()

    def eof_received(self) -> bool:
        """Keep the connection open for an answer."""
        try:
            if self._http is not None:
                self._http.feed_eof()
        except Exception:
            logger.exception("a connection failed")
            self.abort()
        return self._transport.get_extra_info("sslcontext") is None

    def pause_writing(self) -> None:
        """Make senders wait."""
        self._writable = False

    def resume_writing(self) -> None:
        """Wake the sender."""
        self._writable = True
        self._resumed.set()

    def connection_lost(self, exc: Exception | None) -> None:
        """Release everything that the connection holds."""
        self._forget()
        if self._lingering is not None:
            # Its timer would keep the connection in memory until its time.
            self._lingering.cancel()
        self._leave()
        self.resume_writing()
        if self._http is not None:
            self._http.lost()
            # The two hold each other.
            self._http = None

    def _begin(self, peer: Any) -> None:
        self._connections.add(self)  # type: ignore[arg-type]
        self._transport.set_write_buffer_limits(high=limits.PIECE_BYTES_MAX)
        self._peer = peer
        self._http = HttpConnection(self._server(), self, self._scope, self._note_waiting)
        self._http.begin()

    # Called by uvicorn

    def shutdown(self) -> None:
        """Close after the response that is being sent."""
        if self._http is not None:
            self._http.shut_down()

    # Called by the connection

    async def send(self, data: bytes | memoryview) -> None:
        """Write, and wait until the client has taken most of it."""
        if self._transport.is_closing():
            raise Gone
        self._transport.write(data)
        with anyio.move_on_after(limits.WRITE_SECONDS_MAX):
            while not self._writable:
                await self._resumed.wait()
        if not self._writable:
            self.abort()
            raise Gone

    def pause(self) -> None:
        """Read no more for now."""
        self._transport.pause_reading()

    def resume(self) -> None:
        """Read again."""
        self._transport.resume_reading()

    def set_deadline(self, seconds: float | None) -> None:
        """Replace the timer."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if seconds is not None:
            self._timer = self._loop.call_later(seconds, self._expire, self._loop.time() + seconds)

    def start(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run a task that uvicorn waits for."""
        task = self._loop.create_task(self._contain(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def end_writing(self) -> None:
        """Tell the client that no more data comes."""
        if self._transport.is_closing():
            return
        try:
            if self._transport.can_write_eof():
                self._transport.write_eof()
            else:
                self._transport.close()
        except OSError:
            self.abort()

    def close(self) -> None:
        """Close when everything is written, or after ``LINGER_SECONDS_MAX``."""
        self._transport.close()
        if self._lingering is None:
            self._lingering = self._loop.call_later(
                limits.LINGER_SECONDS_MAX, self._transport.abort
            )

    def abort(self) -> None:
        """Close at once."""
        abort(self._transport)

    def take_over(self, head: RequestHead, rest: bytes) -> None:
        """Make a WebSocket of the connection; it keeps the place."""
        self._forget()
        self._http = None
        transport, gateway = self._transport, self.gateway
        answer = gateway.handshakes.answer(head.headers, version=head.version)
        log_end = gateway.access_log.opened(head, self._peer, answer.head)
        if answer.accepted and not gateway.full:
            socket = PlacedSocket(gateway, transport, _host_of(self._peer), head.headers)
            socket.place, socket.log_end = self._place, log_end
            self._place = None
            transport.set_protocol(socket)
            socket.begin(answer.head, rest)
            return
        last = close_frame(BUSY, "Too many connections.") if answer.accepted else b""
        transport.write(answer.head + last)
        self.close()

    async def _contain(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        try:
            await work()
        except Exception:
            logger.exception("a connection failed")
            self.abort()

    def _expire(self, due: float) -> None:
        self._timer = None
        if self._http is None:
            return
        if self._loop.time() - due > LATE_SECONDS:
            self.set_deadline(LATE_SECONDS)
        else:
            self._http.expired()

    def _note_waiting(self, waiting: bool) -> None:
        if waiting:
            self.gateway.places.wait(self, self._let_go)
        else:
            self.gateway.places.wait_no_more(self)

    def _let_go(self) -> None:
        """Release the place for another client, now."""
        self._leave()
        self.abort()

    def _leave(self) -> None:
        if self._place is not None:
            self.gateway.places.leave(self._place)
            self._place = None

    def _forget(self) -> None:
        self.gateway.places.wait_no_more(self)
        self.set_deadline(None)
        self._connections.discard(self)

    def _server(self) -> Server:
        """Return the data that all connections of this uvicorn server share."""
        server = self.shared.get(id(self._config))
        if server is None:
            now = self.gateway.settings.clock.now
            unsent, log = self.gateway.unsent, self.gateway.access_log
            server = Server(self._config.loaded_app, self.path, now, unsent, log)
            self.shared[id(self._config)] = server
        return server

    def _scope(self) -> dict[str, Any]:
        peer = self._peer
        own = self._transport.get_extra_info("sockname")
        encrypted = self._transport.get_extra_info("sslcontext") is not None
        return {
            "scheme": "https" if encrypted else "http",
            "server": (own[0], own[1]) if isinstance(own, tuple) else (own, None),
            "client": (peer[0], peer[1]) if isinstance(peer, tuple) else None,
            "root_path": self._config.root_path,
            "state": self._app_state.copy(),
        }


def http_protocol(gateway: Gateway, path: str) -> type[UvicornProtocol]:
    """
    Make the class for uvicorn's option ``http``.

    :class:`AsyncioSocket` serves a WebSocket at ``path``. The server refuses WebSockets at any
    other path.

    Args:
        gateway: the gateway of the sockets.
        path: the whole path, like ``/ws``.
    """
    members = {"gateway": gateway, "path": path, "shared": {}}
    return type("HubbubProtocol", (UvicornProtocol,), members)


class PlacedSocket(AsyncioSocket):
    """A WebSocket that releases its place. It does not keep the protocol of its handshake."""

    __slots__ = ("log_end", "place")

    place: str | None
    log_end: Callable[[], None]

    def connection_lost(self, exc: Exception | None) -> None:
        """Release everything that the connection holds."""
        try:
            super().connection_lost(exc)
        finally:
            if self.place is not None:
                self._gateway.places.leave(self.place)
            self.log_end()


def _host_of(peer: Any) -> str:
    # A Unix socket has no address.
    return str(peer[0]) if isinstance(peer, tuple) else ""


def abort(transport: asyncio.Transport) -> None:
    """Close a connection at once, and free the kernel's buffers of it."""
    found = transport.get_extra_info("socket")
    if found is not None and not transport.is_closing():
        with suppress(OSError):
            found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
    transport.abort()
