"""WebSockets through any ASGI server: an outbox and one task that empties it."""

from __future__ import annotations

import logging
from collections import deque
from contextlib import suppress
from typing import Any

import anyio
from starlette.websockets import WebSocket, WebSocketDisconnect

from ...journal.live.topic import Encoder
from ...wake_up import WakeUp
from ...wire.messages import SUBPROTOCOL, events_frame
from ..gateway import BUSY, COME_BACK, NOT_SIGNED_IN, SIGNED_OUT, STOPPING, Gateway
from ..http.origin import host_allowed, origin_allowed
from .connection import Connection

__all__ = ["AsgiSocket"]

logger = logging.getLogger("hubbub.server")

# Bytes that wait for one client; above this, the topics stop writing, and the server stops
# reading from the client.
OUTBOX_BYTES_MAX = 64 * 1024
# How long a client has to read what the server sent before a close frame, in seconds.
CLOSE_SECONDS_MAX = 5.0
# How long the server still tries to send a close frame, in seconds, when it stops.
LAST_SECONDS_MAX = 1.0
# "Normal closure"; a page that is reloaded closes with 1001, "going away".
GOING_FOR_GOOD = 1000


class AsgiSocket:
    """
    One WebSocket of an ASGI server.

    Args:
        gateway: the gateway of its connection.
        websocket: not accepted yet.
    """

    def __init__(self, gateway: Gateway, websocket: WebSocket) -> None:
        peer = websocket.client.host if websocket.client else ""
        self.address = gateway.address_of(peer, websocket.headers.raw)
        self.paused = False
        # True unless the client has closed for good.
        self._lost = True
        self._gateway = gateway
        self._websocket = websocket
        self._outbox: deque[bytes] = deque()
        self._outbox_bytes = 0
        self._closing: tuple[int, str] | None = None
        self._wake_up = WakeUp()
        self._space = WakeUp()
        self._scope = anyio.CancelScope()
        self._connection: Connection | None = None
        # True when the socket holds nothing any more, although its task has perhaps not ended.
        self._released = False

    @property
    def encoder(self) -> Encoder:
        """The function that makes the payloads for send_batch."""
        return events_frame

    def send(self, payload: bytes) -> None:
        """Send one text frame."""
        self.send_batch(payload)

    def flush(self) -> None:
        """Do nothing: a task empties the outbox."""

    def send_batch(self, batch: bytes) -> None:
        """Send a payload that is the same for all clients."""
        if self._released:
            return
        self._outbox.append(batch)
        self._outbox_bytes += len(batch)
        self.paused = self.paused or self._outbox_bytes > OUTBOX_BYTES_MAX
        self._wake_up.set()
        if self.paused:
            self._gateway.unsent.hold(self, self._outbox_bytes)

    def close(self, code: int, reason: str) -> None:
        """Close with a code and a reason, after the messages in the outbox."""
        self._closing = self._closing or (code, reason)
        self._lost = self._lost and code != SIGNED_OUT
        # The server does not wait long for a client that does not read these.
        self._scope.deadline = anyio.current_time() + CLOSE_SECONDS_MAX
        self._wake_up.set()

    def abort(self) -> None:
        """End the connection at once; the bytes that wait for it are lost."""
        self._scope.cancel()

    def read_on(self) -> None:
        """Read from the client again: the connection is no longer full."""
        self._space.set()

    def signed_in(self) -> None:
        """Do nothing: the task that waits for the sign-in looks for itself."""

    def drop(self) -> None:
        """End the connection, and release everything: the client does not read."""
        self.abort()
        self._release()

    def check_alive(self) -> None:
        """Do nothing: the ASGI server pings by itself."""

    async def run(self) -> None:
        """Serve the socket until either side closes it."""
        try:
            await self._run()
        except (WebSocketDisconnect, OSError):
            # The client disconnected before the server could serve it.
            return
        except Exception:
            # It must not end the task group of the others.
            logger.exception("A connection failed and is closed.")

    async def _run(self) -> None:
        offered = self._websocket.scope.get("subprotocols", ())
        if not self._is_allowed():
            # Before it is accepted this is a 403.
            await self._websocket.close()
            return
        await self._websocket.accept(SUBPROTOCOL if SUBPROTOCOL in offered else None)
        places = self._gateway.places
        if self._gateway.full or not places.enter_socket(self.address):
            await self._websocket.close(BUSY, "Too many connections.")
            return
        self._connection = Connection(self._gateway, self)
        try:
            with self._scope:
                await self._serve()
        except anyio.get_cancelled_exc_class():
            await self._say_last()
            raise
        finally:
            self._release()
            # The two hold each other.
            self._connection = None

    def _release(self) -> None:
        if self._released or self._connection is None:
            return
        self._released = True
        self._gateway.places.leave_socket(self.address)
        self._gateway.unsent.hold(self, 0)
        self._connection.release(lost=self._lost)

    async def _say_last(self) -> None:
        """Ask the client to reconnect, because the ASGI server stops, and ends its tasks."""
        with (
            anyio.move_on_after(LAST_SECONDS_MAX, shield=True),
            suppress(WebSocketDisconnect, RuntimeError, OSError),
        ):
            await self._websocket.close(COME_BACK, STOPPING)

    def _is_allowed(self) -> bool:
        headers, settings = self._websocket.headers, self._gateway.settings
        host = headers.get("host")
        return host_allowed(host, settings) and origin_allowed(
            headers.get("origin"), host, settings
        )

    async def _serve(self) -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._check_signed_in)
            tasks.start_soon(self._receive, tasks.cancel_scope)
            await self._send()
            tasks.cancel_scope.cancel()

    async def _receive(self, scope: anyio.CancelScope) -> None:
        assert self._connection is not None
        longest = self._gateway.settings.frame_bytes_max
        while True:
            message = await self._websocket.receive()
            if message["type"] == "websocket.disconnect":
                self._lost = message.get("code") != GOING_FOR_GOOD
                scope.cancel()
                return
            payload: str | None = message.get("text")
            if self._closing is not None or self._released:
                # The server ignores requests after a close frame.
                continue
            if payload is None:
                # The protocol is text; the peer answers so.
                self._connection.receive(b"\xff")
            elif len(payload) > longest or len(payload.encode()) > longest:
                self._connection.oversize()
            else:
                self._connection.receive(payload)
            while self.paused or self._connection.full:
                # Otherwise further requests, or the answers to them, would pile up.
                await self._space.wait()

    async def _check_signed_in(self) -> None:
        await anyio.sleep(self._gateway.settings.sign_in_seconds_max)
        if self._connection is not None and self._connection.session is None:
            self.close(NOT_SIGNED_IN, "Sign in first.")

    async def _send(self) -> None:
        while True:
            await self._wake_up.wait()
            try:
                await self._empty_outbox()
                if self._closing is not None:
                    with anyio.move_on_after(CLOSE_SECONDS_MAX, shield=True):
                        await self._websocket.close(*self._closing)
                    return
            except (WebSocketDisconnect, RuntimeError, OSError):
                # The client disconnected during a write.
                return

    async def _empty_outbox(self) -> None:
        while self._outbox:
            batch = self._outbox.popleft()
            self._outbox_bytes -= len(batch)
            message: dict[str, Any] = {"type": "websocket.send", "text": batch.decode()}
            self._gateway.sends.begin(self)
            try:
                await self._websocket.send(message)
            finally:
                self._gateway.sends.end(self)
            if self.paused and self._outbox_bytes <= OUTBOX_BYTES_MAX // 2:
                self.paused = False
                self._gateway.unsent.hold(self, 0)
                self._space.set()
                assert self._connection is not None
                self._connection.resume()
