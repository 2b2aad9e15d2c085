"""
A client made of a socket and of bytes, which can also break the protocol.

It blocks, so a test that needs several gives each a thread. It uses no code of hubbub,
neither the server's nor the client's.
"""

from __future__ import annotations

import base64
import contextlib
import json
import socket
import struct
import time
from typing import Any, Final, NamedTuple, Self

__all__ = [
    "BINARY", "CLOSE", "CONTINUATION", "KEY", "PING", "PONG", "TEXT",
    "Frame", "Head", "Raw", "close_of", "frame_of", "handshake_of", "request_of",
]  # fmt: skip

CONTINUATION: Final = 0
TEXT: Final = 1
BINARY: Final = 2
CLOSE: Final = 8
PING: Final = 9
PONG: Final = 10

MASK: Final = b"\x5a\xa5\x3c\xc3"
KEY: Final = base64.b64encode(b"a key of 16 byte").decode()

# Linux: a connection in this state is closed without a packet (tcp(7) does not name it).
TCP_REPAIR: Final = 19

# A read gives up after so many seconds, and the test fails: nothing is as slow as that.
SECONDS_MAX = 15.0


class Frame(NamedTuple):
    """A frame that came."""

    opcode: int
    payload: bytes

    @property
    def code(self) -> int | None:
        """The code of a close frame, if it has one."""
        return int.from_bytes(self.payload[:2], "big") if len(self.payload) >= 2 else None


class Head(NamedTuple):
    """The head of an HTTP answer; status 0 if the server closed without one."""

    status: int
    headers: dict[str, str]


def frame_of(
    payload: bytes | str = b"",
    opcode: int = TEXT,
    *,
    final: bool = True,
    reserved: int = 0,
    masked: bool = True,
    size_bits: int = 0,
) -> bytes:
    """
    Make a client's frame, right or wrong.

    Args:
        payload: what it carries.
        opcode: what it is.
        final: False for a fragment that is not the last one.
        reserved: the three reserved bits, 0 to 7.
        masked: False breaks the protocol.
        size_bits: 7, 16 or 64 to write the size so; 0 for the shortest way.
    """
    data = payload.encode() if isinstance(payload, str) else payload
    size, mask_bit = len(data), 0x80 if masked else 0
    first = (0x80 if final else 0) | reserved << 4 | opcode
    bits = size_bits or (7 if size < 126 else 16 if size < 1 << 16 else 64)
    if bits == 7:
        head = struct.pack("!BB", first, mask_bit | size)
    elif bits == 16:
        head = struct.pack("!BBH", first, mask_bit | 126, size)
    else:
        head = struct.pack("!BBQ", first, mask_bit | 127, size)
    if not masked or not size:
        return head + (MASK if masked else b"") + data
    key = (MASK * (size // 4 + 1))[:size]
    covered = int.from_bytes(data, "big") ^ int.from_bytes(key, "big")
    return head + MASK + covered.to_bytes(size, "big")


def close_of(code: int | None = None, reason: bytes = b"") -> bytes:
    """Make a client's close frame."""
    return frame_of(b"" if code is None else code.to_bytes(2, "big") + reason, CLOSE)


def request_of(method: str, number: object = 1, **params: Any) -> bytes:
    """Make a JSON-RPC request."""
    request = {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
    return json.dumps(request, ensure_ascii=False).encode()


def handshake_of(target: str = "/ws", *headers: str, **fields: str | None) -> bytes:
    """
    Make the request of an opening handshake.

    Args:
        target: the request target.
        headers: more lines.
        fields: other values for the usual ones, named ``sec_websocket_key``; None leaves one out.
    """
    usual: dict[str, str | None] = {
        "host": "127.0.0.1",
        "connection": "Upgrade",
        "upgrade": "websocket",
        "sec_websocket_version": "13",
        "sec_websocket_key": KEY,
        "sec_websocket_protocol": "hubbub.v1",
    }
    lines = [
        f"{name.replace('_', '-')}: {value}"
        for name, value in (usual | fields).items()
        if value is not None
    ]
    return "\r\n".join([f"GET {target} HTTP/1.1", *lines, *headers, "", ""]).encode("latin-1")


class Raw:
    """
    One TCP connection.

    Args:
        port: the server's.
        source: the address of this machine to come from, 127.0.0.0/8.
        receive_bytes: how much the kernel keeps of what is not read; 0 for the usual.
    """

    def __init__(self, port: int, *, source: str = "127.0.0.1", receive_bytes: int = 0) -> None:
        self.socket = socket.socket()
        if receive_bytes:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        self.socket.settimeout(SECONDS_MAX)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            self.socket.bind((source, 0))
            self.socket.connect(("127.0.0.1", port))
        except OSError:
            self.socket.close()
            raise
        self.head = Head(0, {})
        # How the connection has ended: "", "closed" in good order, or "reset".
        self.ended = ""
        self._data = bytearray()
        self._number = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *args: object) -> None:
        self.close()

    def send(self, *parts: bytes) -> None:
        """Send each part as a segment of its own; that the server is gone is seen by reading."""
        with contextlib.suppress(OSError):
            for part in parts:
                self.socket.sendall(part)

    def read_head(self) -> Head:
        """Read the head of an answer."""
        while b"\r\n\r\n" not in self._data and self._read():
            pass
        text, found, rest = bytes(self._data).partition(b"\r\n\r\n")
        if not found or not text.startswith(b"HTTP/1."):
            return self.head
        first, *lines = text.decode("latin-1").split("\r\n")
        fields = (line.partition(":") for line in lines)
        headers = {name.strip().lower(): value.strip() for name, _, value in fields}
        self.head = Head(int(first.split()[1]), headers)
        self._data = bytearray(rest)
        return self.head

    def read_body(self) -> bytes:
        """Read the body of the answer whose head was read: as long as its length says."""
        size = int(self.head.headers.get("content-length", "0"))
        while len(self._data) < size and self._read():
            pass
        body = bytes(self._data[:size])
        del self._data[:size]
        return body

    def read_to_the_end(self, seconds_max: float = SECONDS_MAX) -> bytes:
        """Read everything until the server closes."""
        ends = time.perf_counter() + seconds_max
        while not self.ended:
            self.socket.settimeout(max(ends - time.perf_counter(), 0.001))
            self._read()
        return bytes(self._data)

    def upgrade(self, *behind: bytes, target: str = "/ws") -> Head:
        """Shake hands, with more bytes in the same segment; return the head of the answer."""
        self.send(handshake_of(target) + b"".join(behind))
        return self.read_head()

    def frame(self) -> Frame | None:
        """Read a frame that is not the server's ping; None if the connection ends before one."""
        while True:
            while (found := self._parse()) is None and self._read():
                pass
            if found is None or found.opcode != PING:
                return found

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        """Send a request; return its response, and pass over all that comes before it."""
        self._number += 1
        self.send(frame_of(request_of(method, self._number, **params)))
        return self.response(self._number)

    def response(self, number: object) -> dict[str, Any]:
        """Return the response to a request, and pass over all that comes before it."""
        while (came := self.frame()) is not None:
            if came.opcode == CLOSE:
                break
            messages = json.loads(came.payload) if came.opcode == TEXT else []
            for message in messages if isinstance(messages, list) else [messages]:
                if message.get("id") == number and "method" not in message:
                    return dict(message)
        raise ConnectionError(f"the server has closed: {came}")

    def result(self, method: str, **params: Any) -> Any:
        """Send a request; return its result."""
        response = self.call(method, **params)
        assert "result" in response, response
        return response["result"]

    def sign_in(self, nickname: str = "Guest", **params: Any) -> Any:
        """Shake hands and sign in as a guest; return the result."""
        head = self.upgrade()
        if head.status != 101:
            raise ConnectionError(f"the server answers the handshake with {head}")
        return self.result("session.sign_in", nickname=nickname, **params)

    def half_close(self) -> None:
        """Say that nothing more is sent."""
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_WR)

    def reset(self) -> None:
        """End the connection at once, as a process does that dies."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def vanish(self) -> None:
        """
        End the connection without a packet, as a machine does that loses its power.

        Raises:
            OSError: only root can do that, and only on Linux.
        """
        self.socket.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, 1)
        self.socket.close()

    def close(self) -> None:
        """Close the connection."""
        self.socket.close()

    def _read(self) -> bool:
        """Read what has come; False at the end."""
        try:
            data = self.socket.recv(1 << 16)
        except TimeoutError:
            raise
        except OSError:
            self.ended = "reset"
            return False
        if not data:
            self.ended = self.ended or "closed"
        self._data += data
        return bool(data)

    def _parse(self) -> Frame | None:
        data = self._data
        if len(data) < 2:
            return None
        size, start = data[1] & 0x7F, 2
        if size >= 126:
            start = 4 if size == 126 else 10
            if len(data) < start:
                return None
            size = int.from_bytes(data[2:start], "big")
        if len(data) < start + size:
            return None
        found = Frame(data[0] & 0x0F, bytes(data[start : start + size]))
        del data[: start + size]
        return found
