"""An ASGI server as other people run it, on the backend that the test runs on."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import anyio
import hypercorn.config
import hypercorn.trio
import uvicorn

from hubbub.server.run import address_of, listen

__all__ = ["foreign_server"]


@asynccontextmanager
async def foreign_server(app: Any) -> AsyncIterator[str]:
    """Serve an application; gives the address."""
    with listen("127.0.0.1", 0) as listener:
        async with anyio.create_task_group() as tasks:
            stop = anyio.Event()
            serve = serve_by_hypercorn if runs_trio() else serve_by_uvicorn
            tasks.start_soon(serve, app, listener, stop)
            yield address_of(listener)
            stop.set()


async def serve_by_uvicorn(app: Any, listener: socket.socket, stop: anyio.Event) -> None:
    config = uvicorn.Config(app, lifespan="off", log_level="warning", timeout_graceful_shutdown=1)
    server = Server(config)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(server.exit_after, stop)
        await server.serve(sockets=[listener.dup()])


class Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Any:
        yield

    async def exit_after(self, stop: anyio.Event) -> None:
        await stop.wait()
        self.should_exit = True


async def serve_by_hypercorn(app: Any, listener: socket.socket, stop: anyio.Event) -> None:
    config = hypercorn.config.Config()
    config.bind = [f"fd://{listener.dup().detach()}"]
    config.accesslog = config.errorlog = None
    config.graceful_timeout = 1
    await hypercorn.trio.serve(app, config, shutdown_trigger=stop.wait)


def runs_trio() -> bool:
    return anyio.get_cancelled_exc_class().__module__.startswith("trio")
