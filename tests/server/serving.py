"""
Serves a gateway for a test, as ``hubbub serve`` does.

With ``HUBBUB_TEST_SERVER=uvicorn`` uvicorn serves it instead, with our protocol class, as in an
application that wants faster sockets.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

import anyio
import pytest
import uvicorn
from anyio.abc import TaskStatus

from hubbub.server import Gateway, create_app, run
from hubbub.server.app import WEBSOCKET_PATH
from hubbub.server.uvicorn_protocol import http_protocol

__all__ = ["only_own_server", "serve", "serve_by_uvicorn"]

ON_UVICORN = os.environ.get("HUBBUB_TEST_SERVER") == "uvicorn"

only_own_server = pytest.mark.skipif(ON_UVICORN, reason="uvicorn does it in its own way")


async def serve_by_uvicorn(
    gateway: Gateway,
    listener: socket.socket,
    stopping: Callable[[], Awaitable[None]],
    *,
    task_status: TaskStatus[str] = anyio.TASK_STATUS_IGNORED,
) -> None:
    """Serve a gateway until ``stopping`` returns; see :func:`hubbub.server.run.serve`."""
    config = uvicorn.Config(
        create_app(gateway.hub, gateway=gateway),
        http=http_protocol(gateway, WEBSOCKET_PATH),
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="warning",
        access_log=False,
        proxy_headers=False,
        timeout_graceful_shutdown=run.CLOSE_SECONDS_MAX,
    )
    server = Server(config)
    with listener.dup() as own:
        task_status.started(run.address_of(listener))
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(server.stop_after, gateway, stopping)
            try:
                await server.serve(sockets=[own])
            finally:
                # If it was cancelled it still listens, and uvloop would wait for it forever.
                for one in getattr(server, "servers", ()):
                    one.close()
            tasks.cancel_scope.cancel()


class Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone."""
        yield

    async def stop_after(self, gateway: Gateway, stopping: Callable[[], Awaitable[None]]) -> None:
        """Exit when ``stopping`` returns."""
        await stopping()
        await gateway.hub.drain()
        gateway.stop()
        self.should_exit = True


serve = serve_by_uvicorn if ON_UVICORN else run.serve
