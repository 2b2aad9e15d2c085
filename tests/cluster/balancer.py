"""A load balancer before the nodes of a cluster."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import anyio
from anyio.abc import SocketStream

from tests.client.proxy import accepting, connect

__all__ = ["Balancer", "balanced"]


class Balancer:
    """
    Hands each connection on to a node that accepts it, by turns.

    Args:
        ports: where the nodes listen.
    """

    def __init__(self, ports: Sequence[int]) -> None:
        self.url = ""
        # Connections to nodes that do not answer end, as a balancer with health checks does it.
        self.down: set[int] = set()
        self._ports = ports
        self._next = 0
        self._scopes: dict[anyio.CancelScope, int] = {}

    def take_down(self, port: int) -> None:
        """Send nothing more to a node, and end its connections."""
        self.down.add(port)
        for scope, its_port in list(self._scopes.items()):
            if its_port == port:
                scope.cancel()

    def put_up(self, port: int) -> None:
        """Send connections to a node again."""
        self.down.discard(port)

    async def serve(self, client: SocketStream) -> None:
        """Connect a client with some node."""
        async with client:
            for _ in self._ports:
                port = self._ports[self._next % len(self._ports)]
                self._next += 1
                if port in self.down:
                    continue
                try:
                    server = await anyio.connect_tcp("127.0.0.1", port)
                except OSError:
                    continue
                await self._connect(client, server, port)
                return

    async def _connect(self, client: SocketStream, server: SocketStream, port: int) -> None:
        async with server:
            with anyio.CancelScope() as scope:
                self._scopes[scope] = port
                try:
                    await connect(client, server, scope)
                finally:
                    del self._scopes[scope]


@asynccontextmanager
async def balanced(ports: Sequence[int]) -> AsyncIterator[Balancer]:
    """Put a load balancer before nodes."""
    balancer = Balancer(ports)
    async with accepting(balancer.serve) as balancer.url:
        yield balancer
