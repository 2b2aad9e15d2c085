"""A port of a host of the simulated network, as anyio's listeners are."""

from __future__ import annotations

import logging
import socket
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from typing import Any

import anyio
from anyio.abc import Listener, SocketAttribute, TaskGroup
from anyio.lowlevel import checkpoint

from .route import Counts
from .stream import Address, NetworkStream

__all__ = ["BACKLOG_MAX", "NetworkListener"]

logger = logging.getLogger(__name__)

# Connections that wait to be accepted; further ones wait on their way.
BACKLOG_MAX = 128


class NetworkListener(Listener[NetworkStream]):
    """
    Accepts the connections to a port.

    Args:
        address: the host and the port.
        counts: what the network counts.
        on_close: called when it was closed.
    """

    def __init__(
        self, address: Address, counts: Counts, on_close: Callable[[NetworkListener], None]
    ) -> None:
        self.address = address
        self._counts = counts
        self._on_close = on_close
        self._backlog: deque[NetworkStream] = deque()
        self._accepting = anyio.ResourceGuard("accepting connections from")
        self._came: anyio.Event | None = None
        self._is_closed = False

    @property
    def is_full(self) -> bool:
        """Whether a further connection has to wait."""
        return len(self._backlog) >= BACKLOG_MAX

    @property
    def extra_attributes(self) -> Mapping[Any, Callable[[], Any]]:
        """The address; there is no raw socket."""
        return {
            SocketAttribute.family: lambda: socket.AF_INET,
            SocketAttribute.local_address: lambda: self.address,
            SocketAttribute.local_port: lambda: self.address[1],
        }

    def offer(self, stream: NetworkStream) -> None:
        """Queue a connection until it is accepted."""
        self._backlog.append(stream)
        if self._came is not None:
            self._came.set()

    async def accept(self) -> NetworkStream:
        """
        Wait for a connection.

        Raises:
            ClosedResourceError: the listener is closed.
            BusyResourceError: another task is accepting.
        """
        with self._accepting:
            await checkpoint()
            while True:
                if self._is_closed:
                    raise anyio.ClosedResourceError
                if self._backlog:
                    return self._backlog.popleft()
                self._came = anyio.Event()
                await self._came.wait()

    async def serve(
        self, handler: Callable[[NetworkStream], Any], task_group: TaskGroup | None = None
    ) -> None:
        """
        Accept connections, and handle each in a task of its own.

        A handler that fails with an exception ends no other: it is logged, counted in the
        network's ``stats.handlers_failed``, and its connection is reset.

        Args:
            handler: gets the stream, and closes it.
            task_group: where the handlers run; by default in one that ends with this call.

        Raises:
            ClosedResourceError: the listener was closed.
        """
        async with AsyncExitStack() as stack:
            if task_group is None:
                task_group = await stack.enter_async_context(anyio.create_task_group())
            while True:
                task_group.start_soon(self._handle, handler, await self.accept())

    def close(self) -> None:
        """Close the port without waiting; connections that wait to be accepted are reset."""
        if not self._is_closed:
            self._is_closed = True
            for stream in self._backlog:
                stream.reset()
            self._backlog.clear()
            if self._came is not None:
                self._came.set()
            self._on_close(self)

    async def aclose(self) -> None:
        """Close the port; connections that wait to be accepted are reset."""
        self.close()
        await checkpoint()

    async def _handle(self, handler: Callable[[NetworkStream], Any], stream: NetworkStream) -> None:
        try:
            await handler(stream)
        except Exception:
            self._counts.handlers_failed += 1
            logger.exception("The handler of a connection to %s:%d failed.", *self.address)
            stream.reset()
