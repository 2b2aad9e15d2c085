"""WebSockets to an ASGI application in the same event loop, without a network."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, MutableMapping
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import unquote, urlsplit

import anyio

from ..client.dial import Dial, Transport
from ..errors import Invalid
from ..wire.connection_lost import ConnectionLost
from ..wire.messages import SUBPROTOCOL

__all__ = ["ASGIApplication", "in_memory"]

logger = logging.getLogger("hubbub.testing")

# Frames in transit, in each direction; further ones wait, as on a slow network.
FRAMES_MAX = 64
# How long an application can take to accept a WebSocket, and to end after the client has left,
# in seconds.
ANSWER_SECONDS_MAX = 5.0

NORMAL_CLOSURE = 1000
NO_CLOSE_FRAME = 1006

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApplication = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]


def in_memory(app: ASGIApplication) -> Callable[[str], Dial]:
    """
    Connect to an application in this event loop: ``hubbub.connect(url, dialer=in_memory(app))``.

    It opens no socket, so it works in virtual time as well. The application must be ready: its
    lifespan is not run.

    Args:
        app: the ASGI application at the URL, with Hubbub's application mounted in it, or Hubbub's
            own.

    Returns:
        The ``dialer`` for ``hubbub.connect``.

    Raises:
        Invalid: on connecting: it is not an http URL.
    """

    def dialer(url: str) -> Dial:
        scope = _scope_of(url)

        @asynccontextmanager
        async def dial() -> AsyncGenerator[Transport]:
            wire, error = _Wire(), None
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(wire.run, app, {**scope, "state": {}})
                try:
                    await wire.open()
                    yield wire
                except Exception as raised:
                    # A task group would wrap the error in a group of its own.
                    error = raised
                finally:
                    await wire.leave()
            if error is not None:
                raise error

        return dial

    return dialer


def _scope_of(url: str) -> dict[str, Any]:
    parsed = urlsplit(url)
    scheme = {"http": "ws", "https": "wss"}.get(parsed.scheme, parsed.scheme)
    if scheme not in ("ws", "wss") or not parsed.hostname:
        raise Invalid(f"Use a URL with any host, like http://test/live, not {url!r}.")
    path = f"{parsed.path.rstrip('/')}/ws"
    return {
        "type": "websocket",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "scheme": scheme,
        "path": unquote(path),
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [
            (b"host", parsed.netloc.encode()),
            (b"sec-websocket-protocol", SUBPROTOCOL.encode()),
        ],
        "client": ("127.0.0.1", 50_000),
        "server": (parsed.hostname, parsed.port or (443 if scheme == "wss" else 80)),
        "subprotocols": [SUBPROTOCOL],
        "extensions": {},
    }


class _Wire:
    """Both ends of one WebSocket: the client holds it, and the application runs on it."""

    def __init__(self) -> None:
        self._to_app, self._at_app = anyio.create_memory_object_stream[Message](FRAMES_MAX)
        self._to_client, self._at_client = anyio.create_memory_object_stream[Message](FRAMES_MAX)
        self._ended = anyio.Event()
        # Even a cancelled client says goodbye.
        self._running = anyio.CancelScope(shield=True)
        self._reason = "the application has ended the connection"

    async def run(self, app: ASGIApplication, scope: MutableMapping[str, Any]) -> None:
        """Run the application until it has finished with this WebSocket."""
        self._to_app.send_nowait({"type": "websocket.connect"})
        try:
            with self._running:
                await app(scope, self._app_receives, self._app_sends)
        except Exception as error:  # close the connection, as a server would
            logger.exception("The application failed.")
            self._reason = f"the application failed: {error!r}"
        finally:
            self._to_client.close()
            self._at_app.close()
            self._ended.set()

    async def open(self) -> None:
        """
        Wait until the application has accepted the WebSocket.

        Raises:
            ConnectionLost: the application refuses it.
        """
        message: Message = {"type": "nothing"}
        with anyio.move_on_after(ANSWER_SECONDS_MAX):
            message = await self._next()
        if message["type"] != "websocket.accept":
            raise ConnectionLost(
                NO_CLOSE_FRAME, "the application does not accept a WebSocket there"
            )
        if message.get("subprotocol") != SUBPROTOCOL:
            raise ConnectionLost(NO_CLOSE_FRAME, f"the application does not speak {SUBPROTOCOL}")

    async def leave(self) -> None:
        """Disconnect, and let the application notice it."""
        self._to_app.close()
        self._at_client.close()
        with anyio.move_on_after(ANSWER_SECONDS_MAX, shield=True):
            await self._ended.wait()
        self._running.cancel()

    async def send(self, frame: bytes) -> None:
        """Send a frame; see :class:`Transport`."""
        try:
            await self._to_app.send({"type": "websocket.receive", "text": frame.decode()})
        except (anyio.BrokenResourceError, anyio.ClosedResourceError) as error:
            raise ConnectionLost(NO_CLOSE_FRAME, self._reason) from error

    async def receive(self) -> str:
        """Wait for a frame; see :class:`Transport`."""
        message = await self._next()
        if message["type"] == "websocket.close":
            reason = message.get("reason") or "the server closed the connection"
            raise ConnectionLost(message.get("code", NORMAL_CLOSURE), reason)
        text: str | None = message.get("text")
        if text is None:
            raise ConnectionLost(NO_CLOSE_FRAME, "the application sent a message that is not text")
        return text

    async def _next(self) -> Message:
        try:
            return await self._at_client.receive()
        except anyio.EndOfStream as error:
            raise ConnectionLost(NO_CLOSE_FRAME, self._reason) from error

    async def _app_receives(self) -> Message:
        try:
            return await self._at_app.receive()
        except anyio.EndOfStream:
            return {"type": "websocket.disconnect", "code": NORMAL_CLOSURE}

    async def _app_sends(self, message: Message) -> None:
        try:
            await self._to_client.send(message)
        except (anyio.BrokenResourceError, anyio.ClosedResourceError) as error:
            raise OSError("The client has disconnected.") from error
