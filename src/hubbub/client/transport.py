"""
The client's WebSocket: httpx2 opens it, wsproto encodes and decodes its frames.

httpx2 has a session of its own around the same two. It is not used here: it exits through a
shielded write without a deadline, so a server that does not read could block a client without end;
and as it runs tasks, every error comes out of it as a group.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from random import Random, SystemRandom

import anyio
import httpcore2
import httpx2
from wsproto.connection import Connection, ConnectionState, ConnectionType
from wsproto.events import CloseConnection, Event, Message, Ping, TextMessage
from wsproto.utilities import LocalProtocolError

from ..errors import Invalid
from ..wire.connection_lost import ConnectionLost
from ..wire.messages import SUBPROTOCOL
from .dial import Dial, Transport
from .server_url import server_url
from .unreachable import because_of, because_of_status, no_hubbub

__all__ = ["WebSocket", "dialer", "socket_url"]

# How long to wait for a connection, and for the response to the handshake, in seconds.
OPEN_SECONDS_MAX = 5.0
# How long one write can take, in seconds, before the connection counts as lost.
WRITE_SECONDS_MAX = 20.0
# How long to wait, in seconds, for the close frame to be sent.
CLOSE_SECONDS_MAX = 2.0
# After this time without any data the client pings the server.
PING_SECONDS = 20.0
READ_BYTES = 64 * 1024
# The longest message of a server, in characters; a page of the longest texts has 2 million.
MESSAGE_CHARS_MAX = 64 * 1024 * 1024

NORMAL_CLOSURE = 1000
NO_CLOSE_FRAME = 1006
GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def socket_url(url: str) -> str:
    """
    Return the URL of the WebSocket of a server.

    Args:
        url: ``http://host:port``, or https, with the prefix it is mounted at, if any;
            without a scheme see :func:`server_url`.

    Raises:
        Invalid: it is not such a URL.
    """
    try:
        parsed = httpx2.URL(server_url(url))
    except (httpx2.InvalidURL, TypeError) as error:
        text = f"{url!r} is not the address of a server: {error}. Write it like localhost:8000."
        raise Invalid(text) from error
    scheme = {"ws": "http", "wss": "https"}.get(parsed.scheme, parsed.scheme)
    if scheme not in ("http", "https") or not parsed.host:
        text = f"{url!r} is not the address of a server. Write it like http://127.0.0.1:8000."
        raise Invalid(text)
    path = f"{parsed.path.rstrip('/')}/ws"
    return str(parsed.copy_with(scheme=scheme, path=path, query=None, fragment=None))


def dialer(url: str, random: Random | None = None) -> Dial:
    """
    Make the function that opens WebSockets.

    Args:
        url: a URL that :func:`socket_url` has returned.
        random: the source of the handshakes' nonces; by default the operating system.
    """
    chance = random or SystemRandom()
    # Loading the certificates takes time, and plain HTTP does not need them.
    encrypted = url.startswith("https:")
    context = httpx2.create_ssl_context() if encrypted else False

    @asynccontextmanager
    async def dial() -> AsyncGenerator[Transport]:
        nonce = base64.b64encode(chance.randbytes(16)).decode()
        headers = {
            "Connection": "Upgrade",
            "Upgrade": "websocket",
            "Sec-WebSocket-Key": nonce,
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Protocol": SUBPROTOCOL,
        }
        try:
            async with (
                httpx2.AsyncClient(verify=context, timeout=OPEN_SECONDS_MAX) as client,
                client.stream("GET", url, headers=headers) as response,
            ):
                _check_accepted(response, nonce)
                socket = WebSocket(response.extensions["network_stream"])
                try:
                    yield socket
                finally:
                    await socket.close()
        except httpx2.HTTPError as error:
            raise because_of(error) from error

    return dial


def _check_accepted(response: httpx2.Response, nonce: str) -> None:
    if response.status_code != httpx2.codes.SWITCHING_PROTOCOLS:
        raise because_of_status(response)
    digest = hashlib.sha1((nonce + GUID).encode(), usedforsecurity=False).digest()
    if response.headers.get("Sec-WebSocket-Accept") != base64.b64encode(digest).decode():
        raise no_hubbub("the response was not that of a WebSocket")
    if response.headers.get("Sec-WebSocket-Protocol") != SUBPROTOCOL:
        raise no_hubbub(f"it does not speak {SUBPROTOCOL}")


class WebSocket:
    """
    A WebSocket after its handshake. One task sends, another receives.

    Args:
        stream: the underlying connection.
    """

    def __init__(self, stream: httpcore2.AsyncNetworkStream) -> None:
        self._stream = stream
        self._connection = Connection(ConnectionType.CLIENT)
        # The receiving task sends the pongs, too.
        self._writing = anyio.Lock()
        self._pieces: list[str] = []
        self._pieces_chars = 0

    async def send(self, frame: bytes) -> None:
        """Send a frame; see :class:`Transport`."""
        await self._send(TextMessage(data=frame.decode()))

    async def receive(self) -> str:
        """Wait for a frame; see :class:`Transport`."""
        while True:
            for event in self._connection.events():
                match event:
                    case TextMessage():
                        if (text := self._whole(event)) is not None:
                            return text
                    case Ping():
                        await self._send(event.response())
                    case CloseConnection(code=code, reason=reason):
                        raise ConnectionLost(
                            int(code), reason or "the server closed the connection"
                        )
                    case Message():
                        raise ConnectionLost(NO_CLOSE_FRAME, "the server sent binary data")
            self._connection.receive_data(await self._read())

    async def close(self) -> None:
        """Send a close frame, if the connection is still open."""
        if self._connection.state in (ConnectionState.OPEN, ConnectionState.REMOTE_CLOSING):
            with anyio.move_on_after(CLOSE_SECONDS_MAX, shield=True):
                try:
                    await self._send(CloseConnection(code=NORMAL_CLOSURE))
                except ConnectionLost:
                    # The server has already closed the connection.
                    return

    async def _send(self, event: Event) -> None:
        try:
            async with self._writing:
                data = self._connection.send(event)
                await self._stream.write(data, timeout=WRITE_SECONDS_MAX)
        except (httpcore2.NetworkError, httpcore2.TimeoutException) as error:
            raise ConnectionLost(NO_CLOSE_FRAME, "the connection broke") from error
        except LocalProtocolError as error:
            raise ConnectionLost(NO_CLOSE_FRAME, "the connection is being closed") from error

    async def _read(self) -> bytes:
        asked = False
        while True:
            try:
                data = await self._stream.read(READ_BYTES, timeout=PING_SECONDS)
            except httpcore2.ReadTimeout as error:
                if asked:
                    raise ConnectionLost(NO_CLOSE_FRAME, "the server does not respond") from error
                asked = True
                await self._send(Ping())
                continue
            except httpcore2.NetworkError as error:
                raise ConnectionLost(NO_CLOSE_FRAME, "the connection broke") from error
            if not data:
                raise ConnectionLost(NO_CLOSE_FRAME, "the connection ended")
            return data

    def _whole(self, event: TextMessage) -> str | None:
        """Add a part of a message; return the message if it was the last part."""
        if event.message_finished and not self._pieces:
            return event.data
        self._pieces.append(event.data)
        self._pieces_chars += len(event.data)
        if self._pieces_chars > MESSAGE_CHARS_MAX:
            raise ConnectionLost(
                NO_CLOSE_FRAME, f"a message is longer than {MESSAGE_CHARS_MAX} characters"
            )
        if not event.message_finished:
            return None
        text = "".join(self._pieces)
        self._pieces, self._pieces_chars = [], 0
        return text
