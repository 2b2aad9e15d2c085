"""
Notes a signal to stop, whatever server the process runs.

uvicorn waits for every open response before it ends the application's lifespan, and a stream of
events has no end. No ASGI server tells an application that it is about to stop. But all of them
handle SIGINT and SIGTERM, so a handler of ours notes the signal first, and then calls theirs.
"""

from __future__ import annotations

import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

import anyio

__all__ = ["wait_for_stop_signal"]

SIGNALS = (signal.SIGINT, signal.SIGTERM)


async def wait_for_stop_signal() -> None:
    """
    Wait until the process gets a signal to stop; the server's own handler is called as well.

    A signal without a handler still ends the process at once. Outside the main thread Python
    allows no handlers, so there this waits until it is cancelled.
    """
    if threading.current_thread() is not threading.main_thread():
        await anyio.sleep_forever()
    receiver, sender = socket.socketpair()
    with receiver, sender:
        sender.setblocking(False)

        def note() -> None:
            # If it is full or closed, the signal was noted before.
            with suppress(OSError):
                sender.send(b"\0")

        with _noted(note):
            await anyio.wait_readable(receiver)


@contextmanager
def _noted(note: Callable[[], None]) -> Iterator[None]:
    """Call a function before the handler of each signal."""
    put = {number: _put(number, note) for number in SIGNALS if callable(signal.getsignal(number))}
    try:
        yield
    finally:
        for number, (ours, before) in put.items():
            # Somebody else may have put another handler in its place.
            if signal.getsignal(number) is ours:
                signal.signal(number, before)


Handler = Callable[[int, FrameType | None], object]


def _put(number: signal.Signals, note: Callable[[], None]) -> tuple[Handler, Handler]:
    before = signal.getsignal(number)
    assert callable(before)

    def handle(received: int, frame: FrameType | None) -> None:
        note()
        before(received, frame)

    signal.signal(number, handle)
    return handle, before
