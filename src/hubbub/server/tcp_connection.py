"""
One TCP connection of our own server: HTTP, and then perhaps a WebSocket.

A selector calls it when bytes come. Only the application's answer to a request has a task.
"""

from __future__ import annotations

import logging
import socket
import struct
from collections.abc import Callable, Coroutine
from contextlib import suppress
from functools import partial
from selectors import EVENT_READ, EVENT_WRITE
from typing import Any

import anyio
import anyio.lowlevel

from ..wake_up import WakeUp
from .gateway import BUSY, Gateway
from .http import limits
from .http.connection import HttpConnection, Server
from .http.exchange import Gone
from .http.request_head import RequestHead
from .selector import Selector
from .websocket.frames import close_frame
from .websocket.tcp_socket import TcpSocket

__all__ = ["Shared", "TcpConnection"]

logger = logging.getLogger("hubbub.server")

READ_BYTES = 64 * 1024
# Closing with it resets the connection, and the kernel frees its buffers.
AT_ONCE = struct.pack("ii", 1, 0)

Work = Callable[[], Coroutine[Any, Any, None]]


class Shared:
    """
    The data that the connections of a server share.

    Args:
        http: the same, for HTTP.
        gateway: where they have their places.
        selector: calls them.
        start: runs a task of a connection.
    """

    def __init__(
        self,
        http: Server,
        gateway: Gateway,
        selector: Selector,
        start: Callable[[Work], None],
    ) -> None:
        self.http = http
        self.gateway = gateway
        self.selector = selector
        self.start = start
        self.open: set[TcpConnection] = set()


class TcpConnection:
    """
    One TCP connection, until it closes or becomes a WebSocket.

    Args:
        shared: what the connections of a server share.
        own: the connection, which has a place already and does not block.
        address: the other end.
        peer: the same, as the operating system gives it.
    """

    def __init__(self, shared: Shared, own: socket.socket, address: str, peer: Any) -> None:
        self.fd = own.fileno()
        self._shared = shared
        self._own = own
        self._address = address
        self._peer = peer
        self._leave: Callable[[], None] = partial(shared.gateway.places.leave, address)
        self._http = HttpConnection(shared.http, self, self._scope, self._note_waiting)
        self._events = EVENT_READ
        # None until a response has to wait for the client.
        self._writable: WakeUp | None = None
        self._ended = False

    def begin(self) -> None:
        """Wait for the first request."""
        try:
            self._shared.open.add(self)
            self._http.begin()
            # The kernel can refuse to watch another descriptor.
            self._watch(EVENT_READ)
        except BaseException:
            self.connection_lost()
            raise

    def shut_down(self) -> None:
        """Close after the response that is being sent."""
        self._http.shut_down()

    # Called by the selector

    def ready(self, events: int) -> None:
        """Read what has come, and continue a response that waits."""
        if events & EVENT_WRITE and self._writable is not None:
            self._watch(self._events & ~EVENT_WRITE)
            self._writable.set()
        if events & EVENT_READ:
            self._read()

    def connection_lost(self) -> None:
        """Close, and release everything."""
        if not self._ended:
            self._release()
            self._own.close()

    def _read(self) -> None:
        try:
            data = self._own.recv(READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            # The client has reset the connection.
            self.connection_lost()
            return
        if data:
            self._http.feed(data)
            return
        # From now on it could be read all the time.
        self.pause()
        self._http.feed_eof()

    # Called by the HTTP connection

    async def send(self, data: bytes | memoryview) -> None:
        """Write, and wait until the kernel has taken it."""
        if rest := self._write(memoryview(data)):
            await self._send_slowly(rest)
        # The others have their turn even if the client reads as fast as the application writes.
        await anyio.lowlevel.checkpoint()

    async def _send_slowly(self, data: memoryview) -> None:
        self._writable = self._writable or WakeUp()
        with anyio.move_on_after(limits.WRITE_SECONDS_MAX):
            while data:
                self._watch(self._events | EVENT_WRITE)
                await self._writable.wait()
                data = self._write(data)
        if data:
            self.abort()
            raise Gone

    def _write(self, data: memoryview) -> memoryview:
        """Give bytes to the kernel, and return the bytes that it did not take."""
        if self._ended:
            raise Gone
        try:
            return data[self._own.send(data) :]
        except BlockingIOError:
            return data
        except OSError as error:
            raise Gone from error

    def pause(self) -> None:
        """Read no more for now."""
        self._watch(self._events & ~EVENT_READ)

    def resume(self) -> None:
        """Read on."""
        self._watch(self._events | EVENT_READ)

    def set_deadline(self, seconds: float | None) -> None:
        """Replace the deadline."""
        if seconds is None or self._ended:
            self._shared.selector.deadlines.discard(self)
        else:
            self._shared.selector.deadlines.add(self, seconds, self._expire)

    def start(self, work: Work) -> None:
        """Run a task of this connection."""
        self._shared.start(partial(self._contain, work))

    def end_writing(self) -> None:
        """Tell the client that no more data comes."""
        with suppress(OSError):
            self._own.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """Close; the kernel has what was sent."""
        self.connection_lost()

    def abort(self) -> None:
        """Close at once."""
        with suppress(OSError):
            self._own.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
        self.connection_lost()

    def take_over(self, head: RequestHead, rest: bytes) -> None:
        """Answer a handshake, and make a WebSocket of the connection if it was accepted."""
        gateway = self._shared.gateway
        answer = gateway.handshakes.answer(head.headers, version=head.version)
        log_end = gateway.access_log.opened(head, self._peer, answer.head)
        if answer.accepted and not gateway.full:
            self._hand_over(head, rest, answer.head, log_end)
            return
        last = close_frame(BUSY, "Too many connections.") if answer.accepted else b""
        with suppress(OSError):
            # The kernel takes so few bytes, unless the client reads nothing.
            self._own.send(answer.head + last)
        self.connection_lost()

    async def _contain(self, work: Work) -> None:
        """Run a task; its failures end here."""
        try:
            await work()
        except Exception:
            logger.exception("a connection failed")
            self.abort()

    def _expire(self) -> None:
        try:
            self._http.expired()
        except Exception:
            self.connection_lost()
            raise

    def _watch(self, events: int) -> None:
        if not self._ended:
            self._events = events
            self._shared.selector.watch(self, events)

    # The end

    def _hand_over(
        self, head: RequestHead, rest: bytes, answer: bytes, log_end: Callable[[], None]
    ) -> None:
        """Give the connection and its place to a WebSocket, which keeps nothing of HTTP."""
        shared, leave = self._shared, self._leave

        def on_lost() -> None:
            leave()
            log_end()

        client = TcpSocket(
            shared.gateway, shared.selector, self._own, self._address, head.headers, on_lost
        )
        self._leave = _nothing
        shared.selector.hand_over(self, client)
        self._release()
        client.begin(answer, rest)

    def _note_waiting(self, waiting: bool) -> None:
        places = self._shared.gateway.places
        if waiting:
            places.wait(self, self._let_go)
        else:
            places.wait_no_more(self)

    def _let_go(self) -> None:
        """Release the place for another client, now."""
        self._give_place_back()
        self.abort()

    def _give_place_back(self) -> None:
        self._shared.gateway.places.wait_no_more(self)
        leave, self._leave = self._leave, _nothing
        leave()

    def _release(self) -> None:
        """Drop everything but the descriptor, so that no memory waits for the collector."""
        self._ended = True
        self._shared.selector.deadlines.discard(self)
        self._shared.selector.discard(self)
        self._shared.open.discard(self)
        if self._writable is not None:
            self._writable.set()
        self._give_place_back()
        self._http.lost()
        del self._http

    def _scope(self) -> dict[str, Any]:
        own, peer = self._own.getsockname(), self._peer
        return {
            "scheme": "http",
            "server": (own[0], own[1]) if isinstance(own, tuple) else (own, None),
            "client": (peer[0], peer[1]) if isinstance(peer, tuple) else None,
            "root_path": "",
        }


def _nothing() -> None:
    pass
