"""
Our own server: it serves all its connections from one list, on each event loop.

A connection has no task of its own; only a request over HTTP has a task. A failure of a
connection ends only that connection.
"""

from __future__ import annotations

import logging
import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress
from selectors import EVENT_READ
from typing import Any

import anyio
from starlette.types import ASGIApp

from ..task_starter import TaskStarter
from .descriptors import EXHAUSTED, SpareDescriptor
from .gateway import Gateway
from .http.connection import Server, refusal
from .selector import Selector
from .tcp_connection import Shared, TcpConnection

__all__ = ["TcpServer"]

logger = logging.getLogger("hubbub.server")

# Connections that are accepted before the others get their turn.
ACCEPTED_MAX = 64
# How long the server waits, in seconds, when it has no descriptor for another connection.
EXHAUSTED_SECONDS = 0.1
# Bytes that the kernel has taken and not sent, above which it takes no more: they are better kept
# where they count.
UNSENT_BYTES = 16 * 1024


class TcpServer:
    """
    Serves an ASGI application, and the hub's WebSockets.

    Args:
        app: the application.
        gateway: the gateway of the sockets.
        path: the WebSockets' whole path, like ``/ws``.
    """

    def __init__(self, app: ASGIApp, gateway: Gateway, path: str) -> None:
        now = gateway.settings.clock.now
        self._server = Server(app, path, now, gateway.unsent, gateway.access_log)
        self._gateway = gateway

    async def serve(
        self,
        listener: socket.socket,
        stopping: Callable[[], Awaitable[None]],
        close_seconds_max: float,
    ) -> None:
        """Accept connections until ``stopping`` returns, then let them end."""
        selector = Selector()
        async with anyio.create_task_group() as serving:
            serving.start_soon(selector.run)
            serving.start_soon(selector.deadlines.run)
            async with anyio.create_task_group() as requests:
                starter = TaskStarter(requests)
                serving.start_soon(starter.run)
                shared = Shared(self._server, self._gateway, selector, starter.start)
                with SpareDescriptor() as spare, listener:
                    accepting = Listener(listener, shared, spare)
                    try:
                        await stopping()
                    finally:
                        accepting.connection_lost()
                for connection in list(shared.open):
                    connection.shut_down()
                requests.cancel_scope.deadline = anyio.current_time() + close_seconds_max
                await selector.until_none()
            serving.cancel_scope.cancel()


class Listener:
    """
    Accepts connections, as the first in the list.

    Args:
        own: a socket that listens; it stays open.
        shared: what the connections share.
        spare: a descriptor for when there is none.
    """

    def __init__(self, own: socket.socket, shared: Shared, spare: SpareDescriptor) -> None:
        _set_options(own)
        self.fd = own.fileno()
        self._own = own
        self._shared = shared
        self._spare = spare
        self._listen()

    def ready(self, events: int) -> None:
        """Accept connections that wait."""
        for _ in range(ACCEPTED_MAX):
            try:
                accepted, peer = self._own.accept()
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno in EXHAUSTED:
                    self._turn_away()
                    return
                # Otherwise the client disconnected before the server accepted it.
                continue
            try:
                _begin(accepted, peer, self._shared)
            except Exception:
                accepted.close()
                logger.exception("a connection failed")

    def connection_lost(self) -> None:
        """Accept no more."""
        self._shared.selector.deadlines.discard(self)
        self._shared.selector.discard(self)

    def _listen(self) -> None:
        self._shared.selector.watch(self, EVENT_READ)

    def _turn_away(self) -> None:
        """Close the connection that waits longest, and accept no more for a moment."""
        selector = self._shared.selector
        self._spare.turn_away(self._own, selector.deadlines.now())
        selector.watch(self, 0)
        selector.deadlines.add(self, EXHAUSTED_SECONDS, self._listen)


def _begin(accepted: socket.socket, peer: Any, shared: Shared) -> None:
    """Wait for the first request of a connection, if there is a place for it."""
    accepted.setblocking(False)
    address = str(peer[0]) if isinstance(peer, tuple) else ""
    if shared.gateway.places.enter(address):
        TcpConnection(shared, accepted, address, peer).begin()
        return
    with accepted, suppress(OSError):
        accepted.send(refusal(503, "Too many connections; try again in a moment."))


def _set_options(listener: socket.socket) -> None:
    """Set options that the connections inherit."""
    listener.setblocking(False)
    with suppress(OSError):
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    # Not every operating system has it.
    if (option := getattr(socket, "TCP_NOTSENT_LOWAT", None)) is not None:
        with suppress(OSError):
            listener.setsockopt(socket.IPPROTO_TCP, option, UNSENT_BYTES)
