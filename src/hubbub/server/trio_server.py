"""
The server on trio: a single task for all WebSockets, and a task for each connection that asks for
something over HTTP.

A failure of a connection ends only that connection.
"""

from __future__ import annotations

import logging
import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import trio  # noqa: TID251  # it is a server on trio
from starlette.types import ASGIApp

from .descriptors import EXHAUSTED, SpareDescriptor
from .gateway import Gateway
from .http.connection import Server, refusal
from .trio_connection import Shared, TrioConnection
from .websocket.trio_selector import TrioSelector

__all__ = ["TrioServer"]

logger = logging.getLogger("hubbub.server")

# Connections that are accepted before the others get their turn.
ACCEPTED_MAX = 64
# How long the server waits, in seconds, when it has no descriptor for another connection.
EXHAUSTED_SECONDS = 0.1
# Unsent bytes of a connection above which trio waits before it sends more: as its streams do.
UNSENT_BYTES = 16 * 1024


class TrioServer:
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
        _set_options(listener)
        async with trio.open_nursery() as serving:
            sockets = TrioSelector(serving.start_soon)
            async with trio.open_nursery() as connections:
                shared = Shared(self._server, self._gateway, sockets, connections.start_soon)
                for task in (sockets.run, sockets.sign_ins.run, shared.heads.run):
                    serving.start_soon(task)
                async with trio.open_nursery() as accepting:
                    accepting.start_soon(self._accept, listener, shared)
                    await stopping()
                    accepting.cancel_scope.cancel()
                for connection in list(shared.open):
                    connection.shut_down()
                connections.cancel_scope.deadline = trio.current_time() + close_seconds_max
                connections.start_soon(sockets.until_none)
            serving.cancel_scope.cancel()

    async def _accept(self, listener: socket.socket, shared: Shared) -> None:
        try:
            with SpareDescriptor() as spare:
                while True:
                    await trio.lowlevel.wait_readable(listener)
                    if not self._accept_some(listener, shared):
                        spare.turn_away(listener, trio.current_time())
                        await trio.sleep(EXHAUSTED_SECONDS)
        finally:
            trio.lowlevel.notify_closing(listener)
            listener.close()

    def _accept_some(self, listener: socket.socket, shared: Shared) -> bool:
        """Accept connections that wait; return False if there is no descriptor for one."""
        for _ in range(ACCEPTED_MAX):
            try:
                accepted, peer = listener.accept()
            except BlockingIOError:
                break
            except OSError as error:
                if error.errno in EXHAUSTED:
                    return False
                # Otherwise the client disconnected before the server accepted it.
                continue
            try:
                _begin(accepted, peer, shared)
            except Exception:
                accepted.close()
                logger.exception("a connection failed")
        return True


def _begin(accepted: socket.socket, peer: Any, shared: Shared) -> None:
    """Wait for the first request of a connection, if there is a place for it."""
    accepted.setblocking(False)
    address = str(peer[0]) if isinstance(peer, tuple) else ""
    if shared.gateway.places.enter(address):
        TrioConnection(shared, accepted, address, peer).begin()
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
