"""The protocol class that uvicorn serves HTTP with, which takes WebSockets over."""

from __future__ import annotations

import asyncio  # noqa: TID251  # it is a protocol of uvicorn's loop
from collections.abc import Iterable

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from .asyncio_socket import AsyncioSocket
from .frames import close_frame
from .gateway import BUSY, Gateway

__all__ = ["http_protocol"]


def http_protocol(gateway: Gateway, path: str) -> type[HttpToolsProtocol]:
    """
    Make the class that uvicorn serves HTTP with (its option ``http``).

    A WebSocket at ``path`` is taken over by :class:`AsyncioSocket`; everything else
    is uvicorn's own.

    Args:
        gateway: what the sockets belong to.
        path: the whole path, like ``/ws``.
    """
    wanted = path.encode()

    class HubbubProtocol(HttpToolsProtocol):
        def handle_websocket_upgrade(self) -> None:
            if self.url.partition(b"?")[0] != wanted:
                super().handle_websocket_upgrade()
                return
            method = self.scope["method"]
            answer = gateway.handshakes.answer(
                self.headers, method=method, version=self.scope["http_version"]
            )
            self.transport.write(answer.head)
            if not answer.accepted:
                self.transport.close()
            elif gateway.full:
                self.transport.write(close_frame(BUSY, "Too many connections."))
                self.transport.close()
            else:
                self.connections.discard(self)
                take_over(gateway, self.transport, self.headers, b"")

    return HubbubProtocol


def take_over(
    gateway: Gateway,
    transport: asyncio.Transport,
    headers: Iterable[tuple[bytes, bytes]],
    rest: bytes,
) -> None:
    """Make a WebSocket of a connection whose handshake was accepted, and read ``rest`` first."""
    socket = AsyncioSocket(gateway, transport, headers)
    transport.set_protocol(socket)
    socket.begin(rest)
