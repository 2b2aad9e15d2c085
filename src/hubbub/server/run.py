"""
Runs the server, on asyncio (with uvloop, if it is installed) or on trio.

It stops in one order: the server takes no new connections, finishes and answers the commands
that it has accepted, asks the clients to reconnect, and closes the store.
"""

from __future__ import annotations

import gc
import importlib.util
import signal
import socket
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Literal

import anyio
from anyio.abc import TaskStatus

from ..feature import Feature
from ..features import FEATURES
from ..hub import Hubbub
from ..opening import open_hub
from ..settings import Settings
from .allocator import give_memory_back
from .app import WEBSOCKET_PATH, create_app
from .auth.tokens import Authenticator
from .descriptors import within_descriptors
from .gateway import Gateway
from .tcp_server import TcpServer

__all__ = ["Backend", "address_of", "listen", "run", "serve"]

Backend = Literal["asyncio", "trio"]

BACKLOG = 4_096
# How long a stopping server waits for its clients to close, in seconds.
CLOSE_SECONDS_MAX = 3
# There are few cycles and many objects that live long, so the collector runs less often.
GC_THRESHOLDS = (20_000, 20, 100)


def run(  # noqa: PLR0913
    url: str,
    *,
    host: str = "127.0.0.1",
    port: int = 8000,
    backend: Backend = "asyncio",
    settings: Settings | None = None,
    authenticator: Authenticator | None = None,
    on_ready: Callable[[str], None] = lambda address: None,
    prepare: Callable[[Hubbub], Awaitable[None]] | None = None,
    features: Sequence[Feature] = FEATURES,
    bus: str | None = None,
) -> None:
    """
    Serve a hub until SIGINT or SIGTERM; a second one stops at once.

    Args:
        url: the store, as for :func:`hubbub.open`.
        host: the address to listen on.
        port: 0 takes a free one.
        backend: ``asyncio`` (with uvloop, if it is installed) or ``trio``.
        settings: limits, clock.
        authenticator: tells which user a token of your application names.
        on_ready: called with the address when the server accepts connections.
        prepare: called with the open hub before that.
        features: what the hub offers, as for :func:`hubbub.open`.
        bus: the URL of the bus of a cluster, as for :func:`hubbub.open`.

    Raises:
        HubbubError: the store cannot be opened, or a feature has a mistake.
        OSError: the server cannot listen on the port.
    """
    give_memory_back()
    settings = within_descriptors(settings or Settings())
    hub = open_hub(url, bus=bus, settings=settings, features=features)
    with listen(host, port) as listener:
        main = partial(_main, hub, authenticator, listener, on_ready, prepare)
        options = {"use_uvloop": _has_uvloop()} if backend == "asyncio" else {}
        anyio.run(main, backend=backend, backend_options=options)


@contextmanager
def listen(host: str, port: int) -> Iterator[socket.socket]:
    """
    Open a socket that listens on an address; port 0 takes a free port.

    Raises:
        OSError: the server cannot listen there: another program does, or it needs rights.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, port), family=family, backlog=BACKLOG) as listener:
        # The server closes the socket that it gets; this one stays, for its address.
        yield listener


def address_of(listener: socket.socket) -> str:
    """Return the URL of a listening socket."""
    host, port, *_ = listener.getsockname()
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


async def serve(
    gateway: Gateway,
    listener: socket.socket,
    stopping: Callable[[], Awaitable[None]],
    *,
    task_status: TaskStatus[str] = anyio.TASK_STATUS_IGNORED,
) -> None:
    """
    Serve a gateway on the running backend, until ``stopping`` returns.

    Args:
        gateway: the way into an open hub; the hub takes no commands afterwards.
        listener: a socket that listens.
        stopping: waits until it is time to stop.
        task_status: gets the address; from then on the server accepts connections.

    Raises:
        WrongLoop: the hub was opened in another event loop.
    """
    gateway.hub.journal.check_home()
    app = create_app(gateway.hub, gateway=gateway)
    # This server finishes the commands that it has accepted first.
    gateway.watch_signals = False

    async def stop() -> None:
        await stopping()
        await gateway.hub.drain()
        gateway.stop()

    async with anyio.create_task_group() as tasks:
        task_status.started(address_of(listener))
        with listener.dup() as own:
            await TcpServer(app, gateway, WEBSOCKET_PATH).serve(own, stop, CLOSE_SECONDS_MAX)
        tasks.cancel_scope.cancel()


async def _main(
    opening: Hubbub,
    authenticator: Authenticator | None,
    listener: socket.socket,
    on_ready: Callable[[str], None],
    prepare: Callable[[Hubbub], Awaitable[None]] | None,
) -> None:
    stopping = anyio.Event()
    async with opening as hub:
        if prepare is not None:
            await prepare(hub)
        gateway = Gateway(hub, authenticator)
        gc.collect()
        gc.freeze()
        gc.set_threshold(*GC_THRESHOLDS)
        async with anyio.create_task_group() as tasks:
            # First of all: as soon as the address is printed, a signal may come.
            await tasks.start(_wait_for_signals, stopping, tasks.cancel_scope)
            await serve(gateway, listener, stopping.wait, task_status=_Ready(on_ready))
            tasks.cancel_scope.cancel()


class _Ready(TaskStatus[str]):
    def __init__(self, on_ready: Callable[[str], None]) -> None:
        self.started = on_ready  # type: ignore[method-assign,assignment]


async def _wait_for_signals(
    stopping: anyio.Event,
    scope: anyio.CancelScope,
    *,
    task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED,
) -> None:
    with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        task_status.started()
        async for _ in signals:
            if stopping.is_set():
                scope.cancel()
            stopping.set()


def _has_uvloop() -> bool:
    return importlib.util.find_spec("uvloop") is not None
