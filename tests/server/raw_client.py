"""A WebSocket client that can also do what a good one never would."""

from __future__ import annotations

import base64
from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import anyio
import msgspec
from anyio.abc import ByteStream
from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.http11 import Response
from websockets.uri import parse_uri

__all__ = ["RawClient", "connected"]

PATIENCE = 10.0


class RawClient:
    """
    One connection: frames out as one likes, frames in one by one.

    Args:
        stream: a TCP connection.
        address: the server's, ``http://…``.
    """

    def __init__(self, stream: ByteStream, address: str, path: str = "/ws") -> None:
        self.stream = stream
        uri = parse_uri(address.replace("http", "ws", 1) + path)
        self.protocol = ClientProtocol(uri, subprotocols=["hubbub.v1"], max_size=None)  # type: ignore[list-item]
        self.frames: deque[Frame] = deque()
        self.messages: deque[Any] = deque()
        self.response: Response | None = None
        self._last_id = 0

    async def shake_hands(self, headers: Mapping[str, str] = {}) -> Response:
        """Open the connection; return the server's answer."""
        request = self.protocol.connect()
        request.headers.update(headers)
        self.protocol.send_request(request)
        await self.flush()
        while self.response is None:
            await self._read()
        return self.response

    async def send(self, text: str | bytes) -> None:
        """Send one text frame."""
        self.protocol.send_text(text.encode() if isinstance(text, str) else text)
        await self.flush()

    async def flush(self) -> None:
        """Send what the protocol has to say."""
        for data in self.protocol.data_to_send():
            if data:
                await self.stream.send(data)

    async def frame(self) -> Frame:
        """Return the next frame that is not a ping."""
        with anyio.fail_after(PATIENCE):
            while not self.frames:
                await self._read()
        return self.frames.popleft()

    async def message(self) -> Any:
        """Return the next JSON-RPC message; arrays are taken apart."""
        while not self.messages:
            frame = await self.frame()
            assert frame.opcode is Opcode.TEXT, frame
            message = msgspec.json.decode(frame.data)
            self.messages.extend(message if isinstance(message, list) else [message])
        return self.messages.popleft()

    async def answer(self, number: int) -> Any:
        """Return the answer to a request, passing over everything before it."""
        while (message := await self.message()).get("id") != number:
            pass
        return message

    async def ask(self, method: str, **params: Any) -> Any:
        """Send a request and return its answer."""
        return await self.answer(await self.post(method, **params))

    async def post(self, method: str, **params: Any) -> int:
        """Send a request; return its number."""
        self._last_id += 1
        request = {"jsonrpc": "2.0", "id": self._last_id, "method": method, "params": params}
        await self.send(msgspec.json.encode(request))
        return self._last_id

    async def sign_in(self, nickname: str = "ann") -> dict[str, Any]:
        """Sign in as a guest; return the result."""
        result: dict[str, Any] = (await self.ask("session.sign_in", nickname=nickname))["result"]
        return result

    async def close_code(self) -> int:
        """Read until the server closes; return the code."""
        while True:
            frame = await self.frame()
            if frame.opcode is Opcode.CLOSE:
                return int.from_bytes(bytes(frame.data)[:2], "big")

    async def _read(self) -> None:
        try:
            self.protocol.receive_data(await self.stream.receive())
        except (anyio.EndOfStream, anyio.BrokenResourceError) as error:
            raise ConnectionError("the server hung up") from error
        for event in self.protocol.events_received():
            if isinstance(event, Response):
                self.response = event
            elif isinstance(event, Frame) and event.opcode is not Opcode.PING:
                self.frames.append(event)
        await self.flush()


@asynccontextmanager
async def connected(
    address: str,
    nickname: str | None = None,
    *,
    path: str = "/ws",
    headers: Mapping[str, str] = {},
    forwarded_for: str | None = None,
) -> AsyncIterator[RawClient]:
    """Connect, shake hands, and sign in if there is a nickname; like a proxy, if there is one."""
    host, _, port = address.removeprefix("http://").rpartition(":")
    async with await anyio.connect_tcp(host, int(port)) as stream:
        client = RawClient(stream, address, path)
        proxied = {} if forwarded_for is None else {"X-Forwarded-For": forwarded_for}
        await client.shake_hands({**headers, **proxied})
        if nickname is not None:
            await client.sign_in(nickname)
        yield client


def masked(head: int, payload: bytes, *, size: int | None = None) -> bytes:
    """Make a client's frame by hand, with a mask that changes nothing."""
    length = len(payload) if size is None else size
    assert length < 126
    return bytes((head, 0x80 | length)) + bytes(4) + payload


def websocket_key() -> str:
    """Return a key for a handshake made by hand."""
    return base64.b64encode(bytes(16)).decode()
