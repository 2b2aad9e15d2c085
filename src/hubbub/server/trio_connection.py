"""
One TCP connection on trio: HTTP, and then perhaps a WebSocket.

It has no task until it has a request that a task answers: before that a selector calls it when
bytes come, and a WebSocket never needs one.
"""

from __future__ import annotations

import logging
import math
import socket
import struct
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from functools import partial
from selectors import EVENT_READ
from typing import Any

import trio  # noqa: TID251  # it is a connection of trio's loop

from .deadlines import Deadlines
from .gateway import BUSY, Gateway
from .http import limits
from .http.connection import HttpConnection, Server
from .http.exchange import Gone
from .http.request_head import RequestHead
from .websocket.frames import close_frame
from .websocket.trio_selector import TrioSelector
from .websocket.trio_socket import TrioSocket

__all__ = ["Shared", "TrioConnection"]

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
        sockets: calls the connections that have no task.
        start: runs a task of a connection.
    """

    def __init__(
        self,
        http: Server,
        gateway: Gateway,
        sockets: TrioSelector,
        start: Callable[[Callable[[], Awaitable[None]]], None],
    ) -> None:
        self.http = http
        self.gateway = gateway
        self.sockets = sockets
        self.start = start
        # The deadlines of the first requests.
        self.heads = Deadlines(trio.current_time)
        self.open: set[TrioConnection] = set()


class TrioConnection:
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
        # None until there is a task. The work waits until the task has begun.
        self._stream: trio.SocketStream | None = None
        self._tasks: trio.Nursery | None = None
        self._to_start: list[Work] = []
        # Set while it reads; None if it always has.
        self._reading: trio.Event | None = None
        self._deadline = math.inf
        self._patience: trio.CancelScope | None = None
        self._websocket: tuple[RequestHead, bytes] | None = None
        self._ended = False

    def begin(self) -> None:
        """Wait for the first request."""
        try:
            self._shared.open.add(self)
            self._http.begin()
            self._shared.heads.add(self, limits.HEAD_SECONDS_MAX, self._expire)
            # The kernel can refuse to watch another descriptor.
            self._shared.sockets.watch(self, EVENT_READ)
        except BaseException:
            self._end()
            raise

    def shut_down(self) -> None:
        """Close after the response that is being sent."""
        if self._websocket is None:
            self._http.shut_down()

    # Called before there is a task

    def ready(self, events: int) -> None:
        """Read what has come."""
        try:
            data = self._own.recv(READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            # The client has reset the connection.
            self._end()
            return
        if data:
            self._http.feed(data)
        else:
            self._http.feed_eof()

    def connection_lost(self) -> None:
        """Close, and release everything."""
        self._end()

    def _expire(self) -> None:
        try:
            self._http.expired()
        except Exception:
            self._end()
            raise

    # Called by the HTTP connection

    async def send(self, data: bytes | memoryview) -> None:
        """Write, and wait until the kernel has taken it."""
        assert self._stream is not None, "only a task sends"
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
        if self._reading is None or self._reading.is_set():
            self._reading = trio.Event()

    def resume(self) -> None:
        """Read on."""
        if self._reading is not None:
            self._reading.set()

    def set_deadline(self, seconds: float | None) -> None:
        """Set the deadline of the next read; before there is a task, there is another."""
        self._deadline = math.inf if seconds is None else trio.current_time() + seconds
        if self._patience is not None:
            self._patience.deadline = self._deadline

    def start(self, work: Work) -> None:
        """Run a task of this connection."""
        if self._tasks is not None:
            self._tasks.start_soon(work)
            return
        self._to_start.append(work)
        if self._stream is None:
            self._leave_selector()
            self._stream = trio.SocketStream(trio.socket.from_stdlib_socket(self._own))
            self._shared.start(self._run)

    def end_writing(self) -> None:
        """Tell the client that no more data comes."""
        with suppress(OSError):
            self._own.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """Close; the kernel has what was sent."""
        if self._stream is None:
            self._end()
        else:
            # The task ends at its next read.
            self._stream.socket.close()

    def abort(self) -> None:
        """Close at once."""
        with suppress(OSError):
            self._own.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
        self.close()

    def take_over(self, head: RequestHead, rest: bytes) -> None:
        """Make a WebSocket of the connection, after the task if there is one."""
        self._websocket = head, rest
        if self._stream is None:
            self._shake_hands()
        elif self._patience is not None:
            self._patience.cancel()

    # The task

    async def _run(self) -> None:
        """Serve requests; the failures end here."""
        try:
            await self._serve()
            if self._websocket is not None:
                # trio watches it no longer.
                trio.lowlevel.notify_closing(self._own)
                self._shake_hands()
        except (OSError, trio.BrokenResourceError, trio.ClosedResourceError):
            # The client is gone.
            return
        except Exception:
            logger.exception("a connection failed")
        finally:
            self._end()

    async def _serve(self) -> None:
        async with trio.open_nursery() as self._tasks:
            for work in self._to_start:
                self._tasks.start_soon(work)
            # It leads back to the connection.
            self._to_start.clear()
            try:
                await self._read()
            except (trio.BrokenResourceError, trio.ClosedResourceError):
                self._http.lost()

    async def _read(self) -> None:
        assert self._stream is not None
        while self._websocket is None:
            data = None
            with trio.CancelScope(deadline=self._deadline) as self._patience:
                if self._reading is not None:
                    await self._reading.wait()
                data = await self._stream.receive_some(READ_BYTES)
            if self._websocket is not None:
                # The end of a response came first.
                head, rest = self._websocket
                self._websocket = head, rest + bytes(data or b"")
            elif data is None:
                self._deadline = math.inf
                self._http.expired()
            elif data:
                self._http.feed(bytes(data))
            else:
                self._http.feed_eof()
                return

    # The handshake, and the end

    def _shake_hands(self) -> None:
        """Answer a handshake, and make a WebSocket of the connection if it was accepted."""
        assert self._websocket is not None
        gateway, (head, rest) = self._shared.gateway, self._websocket
        answer = gateway.handshakes.answer(head.headers, version=head.version)
        log_end = gateway.access_log.opened(head, self._peer, answer.head)
        if answer.accepted and not gateway.full:
            self._hand_over(head, rest, answer.head, log_end)
            return
        last = close_frame(BUSY, "Too many connections.") if answer.accepted else b""
        with suppress(OSError):
            # The kernel takes so few bytes, unless the client reads nothing.
            self._own.send(answer.head + last)
        self._end()

    def _hand_over(
        self, head: RequestHead, rest: bytes, answer: bytes, log_end: Callable[[], None]
    ) -> None:
        """Give the connection and its place to a WebSocket, which keeps nothing of HTTP."""
        shared, leave = self._shared, self._leave

        def on_lost() -> None:
            leave()
            log_end()

        client = TrioSocket(
            shared.gateway, shared.sockets, self._own, self._address, head.headers, on_lost
        )
        self._leave = _nothing
        shared.sockets.hand_over(self, client)
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

    def _end(self) -> None:
        if not self._ended:
            self._release()
            if self._stream is None:
                self._own.close()
            else:
                self._stream.socket.close()

    def _release(self) -> None:
        """Drop everything but the descriptor, so that no memory waits for the collector."""
        self._ended = True
        self._leave_selector()
        self._shared.open.discard(self)
        self._give_place_back()
        self._tasks = None
        del self._http

    def _leave_selector(self) -> None:
        self._shared.heads.discard(self)
        self._shared.sockets.discard(self)

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
