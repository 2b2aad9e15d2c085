"""
Hubbub's own sockets with an echo behind them, for suites that want one.

Run as ``python -m tests.conformance.echo BACKEND``; it prints its address, and ends with its
standard input. All that is not WebSocket is replaced in this module, in one place: :func:`fit`.
"""

from __future__ import annotations

import sys
from functools import partial
from typing import Any, Literal

import anyio
from anyio import to_thread

import hubbub
from hubbub.server import Gateway
from hubbub.server.run import listen, serve
from hubbub.server.websocket import frame_socket
from hubbub.server.websocket.frame_socket import FrameSocket
from hubbub.server.websocket.frames import BINARY, TEXT, frame
from hubbub.server.websocket.in_flight import InFlight

__all__ = ["Echo", "fit"]

# Autobahn's largest message has 16 MiB.
MESSAGE_BYTES_MAX = 32 * 1024 * 1024


class Echo:
    """Stands behind a socket instead of a connection: it echoes every message."""

    # Nobody need sign in, and no request waits.
    session = object()
    full = False
    in_flight = InFlight(1, lambda request: None, lambda: None)

    def __init__(self, gateway: Gateway, socket: FrameSocket) -> None:
        self._socket = socket

    def take(self, payload: bytes, opcode: int = TEXT) -> None:
        """Send a message back, after the pongs that have gathered."""
        self._socket._gather(frame(payload, opcode))

    def oversize(self) -> None:
        """Close: no case sends as much."""
        self._socket.close(1009, "The message is too large.")

    def resume(self) -> None:
        """Nothing waits for the socket."""

    def release(self, *, lost: bool = True) -> None:
        """There is nothing to release."""


def fit() -> None:
    """Put the echo behind every socket of this process, for texts and for binary messages."""
    other = FrameSocket._control

    def control(self: FrameSocket, opcode: int, payload: bytes) -> None:
        # Hubbub's protocol is text, so a binary message never gets as far as a connection.
        if opcode == BINARY:
            echo: Any = self.connection
            echo.take(payload, BINARY)
        else:
            other(self, opcode, payload)

    FrameSocket._control = control  # type: ignore[method-assign]
    frame_socket.Connection = Echo  # type: ignore[assignment,attr-defined]


async def main() -> None:
    """Serve until the standard input ends."""
    fit()
    settings = hubbub.Settings(frame_bytes_max=MESSAGE_BYTES_MAX)
    with listen("127.0.0.1", 0) as listener:
        async with (
            hubbub.open("memory://", settings=settings) as hub,
            anyio.create_task_group() as tasks,
        ):
            stop = anyio.Event()
            address = await tasks.start(serve, Gateway(hub), listener, stop.wait)
            print(address.replace("http", "ws") + "/ws", flush=True)
            await to_thread.run_sync(partial(sys.stdin.buffer.read), abandon_on_cancel=True)
            stop.set()


if __name__ == "__main__":
    backend: Literal["asyncio", "trio"] = "trio" if sys.argv[1] == "trio" else "asyncio"
    options = {"use_uvloop": True} if backend == "asyncio" else {}
    anyio.run(main, backend=backend, backend_options=options)
