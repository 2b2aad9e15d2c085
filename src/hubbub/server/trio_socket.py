"""
WebSockets on trio, written to without waiting.

A socket is served by the task that reads it; a frame for it goes to the kernel at
once, and only what the kernel does not take now waits for a task that writes it.
"""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Iterable

import trio  # noqa: TID251  # it is a socket of trio

from .frame_socket import WRITE_BYTES_MAX, FrameSocket
from .gateway import Gateway

__all__ = ["TrioSocket"]

READ_BYTES = 64 * 1024
# How long the other side has to close after we did.
CLOSE_SECONDS_MAX = 3.0


class TrioSocket(FrameSocket):
    """
    One WebSocket, after its handshake.

    Args:
        gateway: what its connection belongs to.
        stream: the TCP connection.
        headers: of the request that asked for it, their names in small letters.
    """

    __slots__ = (
        "_fd",
        "_hung_up",
        "_patience",
        "_pending",
        "_pending_bytes",
        "_start",
        "_stream",
        "_writing",
    )

    def __init__(
        self,
        gateway: Gateway,
        stream: trio.SocketStream,
        headers: Iterable[tuple[bytes, bytes]],
    ) -> None:
        super().__init__(gateway, str(stream.socket.getpeername()[0]), headers)
        self._start = gateway.hub.start
        self._stream = stream
        self._fd = stream.socket.fileno()
        # What the kernel did not take; as long as there is some, a task writes it.
        self._pending: list[memoryview] = []
        self._pending_bytes = 0
        self._writing = False
        self._hung_up = False
        # How long it is read from without a sign-in, or after hanging up.
        patience = gateway.settings.sign_in_seconds_max
        self._patience = trio.CancelScope(relative_deadline=patience)

    async def run(self, data: bytes) -> None:
        """
        Read until either side closes.

        Args:
            data: what came behind the handshake already.
        """
        try:
            self.feed(data)
            with self._patience:
                await self._read()
            if self._patience.cancelled_caught and not self._hung_up:
                self.check_signed_in()
                with self._be_patient():
                    await self._read()
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            # The client is gone; there is nobody to tell.
            pass
        finally:
            self._hung_up = True
            self.connection.release(lost=self.lost)

    def write(self, data: bytes) -> None:
        """Give bytes to the kernel, or what it does not take now to a task."""
        if self._hung_up:
            return
        written = 0
        if not self._pending:
            try:
                written = os.write(self._fd, data)
            except BlockingIOError:
                written = 0
            except OSError:
                # The reader will notice the same.
                return
        if written < len(data):
            self._keep(memoryview(data)[written:])

    def hang_up(self) -> None:
        """End our side after what was written, and wait a moment for the other's end."""
        if not self._hung_up:
            self._hung_up = True
            self._patience.deadline = trio.current_time() + CLOSE_SECONDS_MAX
            if not self._pending:
                self._shut_down()

    async def _read(self) -> None:
        while data := await self._stream.receive_some(READ_BYTES):
            # After hanging up, what still comes is only read to see the end.
            if not self._hung_up:
                self.feed(data)

    def _be_patient(self) -> trio.CancelScope:
        """Read on without a limit, or with the one for those who were hung up on."""
        if not self._hung_up:
            self._patience = trio.CancelScope()
        else:
            self._patience = trio.CancelScope(relative_deadline=CLOSE_SECONDS_MAX)
        return self._patience

    def _keep(self, data: memoryview) -> None:
        self._pending.append(data)
        self._pending_bytes += len(data)
        if not self._writing:
            self._writing = True
            self._start(self._write_pending)
        self.paused = self._pending_bytes > WRITE_BYTES_MAX

    async def _write_pending(self) -> None:
        try:
            while self._pending:
                await self._stream.send_all(self._pending[0])
                self._pending_bytes -= len(self._pending.pop(0))
                if self.paused and self._pending_bytes <= WRITE_BYTES_MAX // 4:
                    self.paused = False
                    self.connection.resume()
            if self._hung_up:
                self._shut_down()
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            # The reader notices the same, and lets go.
            self._pending.clear()
        finally:
            self._writing = False

    def _shut_down(self) -> None:
        with contextlib.suppress(OSError):
            self._stream.socket.shutdown(socket.SHUT_WR)
