"""A network that can be cut: a proxy between a client and a server."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import anyio
from anyio.abc import SocketAttribute, SocketStream

__all__ = ["Proxy", "accepting", "connect", "proxied"]

CUT = (anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError, OSError)


class Proxy:
    """
    Hands bytes on, both ways.

    Args:
        port: the server's.
    """

    def __init__(self, port: int) -> None:
        self.port = port
        self.address = ""
        self.connections = 0
        self._scopes: set[anyio.CancelScope] = set()

    def cut(self) -> None:
        """Lose all connections, with what is under way."""
        for scope in list(self._scopes):
            scope.cancel()

    async def serve(self, client: SocketStream) -> None:
        """Connect a client with the server."""
        self.connections += 1
        with anyio.CancelScope() as scope:
            self._scopes.add(scope)
            try:
                async with client, await anyio.connect_tcp("127.0.0.1", self.port) as server:
                    await connect(client, server, scope)
            except OSError:
                # The server is not there now.
                return
            finally:
                self._scopes.discard(scope)


async def connect(client: SocketStream, server: SocketStream, scope: anyio.CancelScope) -> None:
    """Hand bytes on, both ways, until either side ends; then cancel the scope."""
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_hand_on, client, server, scope)
        tasks.start_soon(_hand_on, server, client, scope)


async def _hand_on(source: SocketStream, sink: SocketStream, scope: anyio.CancelScope) -> None:
    try:
        while True:
            await sink.send(await source.receive())
    except CUT:
        scope.cancel()


@asynccontextmanager
async def accepting(serve: Callable[[SocketStream], Awaitable[None]]) -> AsyncIterator[str]:
    """Serve every connection in a task of its own; gives the address."""
    async with await anyio.create_tcp_listener(local_host="127.0.0.1") as listener:
        port = listener.extra(SocketAttribute.local_port)  # noqa: S610  # no database here
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(listener.serve, serve)
            yield f"http://127.0.0.1:{port}"
            tasks.cancel_scope.cancel()


@asynccontextmanager
async def proxied(address: str) -> AsyncIterator[Proxy]:
    """Put a proxy before a server."""
    proxy = Proxy(int(address.rpartition(":")[2]))
    async with accepting(proxy.serve) as proxy.address:
        yield proxy
