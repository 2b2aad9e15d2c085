"""
WebSockets on trio, written to without waiting, and hypercorn for everything else.

A connection's first bytes tell what it is. A WebSocket is served here, by the task
that reads it; a frame for it goes to the kernel at once, and only what the kernel
does not take now waits for a task that writes it.
"""

from __future__ import annotations

import contextlib
import os
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

from .frame_socket import WRITE_BYTES_MAX, FrameSocket
from .frames import accept, close_frame
from .gateway import BUSY, Gateway

__all__ = ["TrioServer", "TrioSocket"]

READ_BYTES = 64 * 1024
HEAD_BYTES_MAX = 16 * 1024
HEAD_SECONDS_MAX = 10.0
# How long the other side has to close after we did.
CLOSE_SECONDS_MAX = 3.0


class TrioSocket(FrameSocket):
    """
    One WebSocket, after its handshake.

    Args:
        gateway: what its connection belongs to.
        stream: the TCP connection.
        headers: of the request that asked for it, their names in small letters.
    """

    __slots__ = (
        "_fd",
        "_hung_up",
        "_patience",
        "_pending",
        "_pending_bytes",
        "_start",
        "_stream",
        "_writing",
    )

    def __init__(
        self,
        gateway: Gateway,
        stream: trio.SocketStream,
        headers: Iterable[tuple[bytes, bytes]],
    ) -> None:
        super().__init__(gateway, str(stream.socket.getpeername()[0]), headers)
        self._start = gateway.hub.start
        self._stream = stream
        self._fd = stream.socket.fileno()
        # What the kernel did not take; as long as there is some, a task writes it.
        self._pending: list[memoryview] = []
        self._pending_bytes = 0
        self._writing = False
        self._hung_up = False
        # How long it is read from without a sign-in, or after hanging up.
        patience = gateway.settings.sign_in_seconds_max
        self._patience = trio.CancelScope(relative_deadline=patience)

    async def run(self, data: bytes) -> None:
        """
        Read until either side closes.

        Args:
            data: what came behind the handshake already.
        """
        try:
            self.feed(data)
            with self._patience:
                await self._read()
            if self._patience.cancelled_caught and not self._hung_up:
                self.check_signed_in()
                with self._be_patient():
                    await self._read()
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            # The client is gone; there is nobody to tell.
            pass
        finally:
            self._hung_up = True
            self.connection.release(lost=self.lost)

    def write(self, data: bytes) -> None:
        """Give bytes to the kernel, or what it does not take now to a task."""
        if self._hung_up:
            return
        written = 0
        if not self._pending:
            try:
                written = os.write(self._fd, data)
            except BlockingIOError:
                written = 0
            except OSError:
                # The reader will notice the same.
                return
        if written < len(data):
            self._keep(memoryview(data)[written:])

    def hang_up(self) -> None:
        """End our side after what was written, and wait a moment for the other's end."""
        if not self._hung_up:
            self._hung_up = True
            self._patience.deadline = trio.current_time() + CLOSE_SECONDS_MAX
            if not self._pending:
                self._shut_down()

    async def _read(self) -> None:
        while data := await self._stream.receive_some(READ_BYTES):
            # After hanging up, what still comes is only read to see the end.
            if not self._hung_up:
                self.feed(data)

    def _be_patient(self) -> trio.CancelScope:
        """Read on without a limit, or with the one for those who were hung up on."""
        if not self._hung_up:
            self._patience = trio.CancelScope()
        else:
            self._patience = trio.CancelScope(relative_deadline=CLOSE_SECONDS_MAX)
        return self._patience

    def _keep(self, data: memoryview) -> None:
        self._pending.append(data)
        self._pending_bytes += len(data)
        if not self._writing:
            self._writing = True
            self._start(self._write_pending)
        self.paused = self._pending_bytes > WRITE_BYTES_MAX

    async def _write_pending(self) -> None:
        try:
            while self._pending:
                await self._stream.send_all(self._pending[0])
                self._pending_bytes -= len(self._pending.pop(0))
                if self.paused and self._pending_bytes <= WRITE_BYTES_MAX // 4:
                    self.paused = False
                    self.connection.resume()
            if self._hung_up:
                self._shut_down()
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            # The reader notices the same, and lets go.
            self._pending.clear()
        finally:
            self._writing = False

    def _shut_down(self) -> None:
        with contextlib.suppress(OSError):
            self._stream.socket.shutdown(socket.SHUT_WR)


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
                    stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    client = TrioSocket(self._gateway, stream, request.headers)
                    await client.run(request.rest)
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
        answer = accept(headers)
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
