"""
WebSockets on trio, written to without waiting.

One task reads and serves a WebSocket. A frame for the client goes to the kernel at once, and only
the bytes that the kernel does not take now wait for another task, which writes them.
"""

from __future__ import annotations

import contextlib
import math
import os
import socket
from collections import deque
from collections.abc import Iterable

import trio  # noqa: TID251  # it is a socket of trio's loop

from ...wake_up import WakeUp
from ..gateway import Gateway
from .frame_socket import CLOSE_SECONDS_MAX, TURN_BYTES_MAX, WRITE_BYTES_MAX, FrameSocket

__all__ = ["TrioSocket"]

READ_BYTES = 16 * 1024
# Bytes that the kernel gets at one time, so that progress shows.
WRITE_BYTES = 64 * 1024


class TrioSocket(FrameSocket):
    """
    One WebSocket, after its handshake.

    Args:
        gateway: the gateway of its connection.
        stream: the TCP connection.
        headers: of the handshake, with names in lower case.
        rest: the bytes that came after the handshake already.

    Raises:
        OSError: the client is already gone.
    """

    __slots__ = (
        "_ended",
        "_fd",
        "_held",
        "_patience",
        "_pending",
        "_pending_bytes",
        "_space",
        "_start",
        "_stream",
        "_writing",
    )

    def __init__(
        self,
        gateway: Gateway,
        stream: trio.SocketStream,
        headers: Iterable[tuple[bytes, bytes]],
        rest: bytes,
    ) -> None:
        # Before the socket counts anywhere: it fails if the client has reset the connection.
        peer = str(stream.socket.getpeername()[0])
        super().__init__(gateway, peer, headers)
        self._start = gateway.hub.start
        self._stream = stream
        self._fd = stream.socket.fileno()
        # Bytes that the kernel did not take; while there are some, a task writes them.
        self._pending: deque[memoryview] = deque()
        self._pending_bytes = 0
        self._writing = False
        # Bytes that were read and wait for their turn.
        self._held = rest
        # Set when the pending bytes are written, so that the socket reads again.
        self._space = WakeUp()
        # True when our side has ended, or will end after the pending bytes.
        self._ended = False
        # How long the socket reads without a sign-in, and after our side has ended. The deadline
        # is absolute, because it is also set before the scope is entered.
        patience = gateway.settings.sign_in_seconds_max
        self._patience = trio.CancelScope(deadline=trio.current_time() + patience)

    async def run(self) -> None:
        """Read until either side closes."""
        try:
            self.check_place()
            with self._patience:
                await self._read()
            if self._patience.cancelled_caught and not self._ended:
                self.check_signed_in()
                wait = CLOSE_SECONDS_MAX if self._ended else math.inf
                with trio.CancelScope(deadline=trio.current_time() + wait) as self._patience:
                    await self._read()
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            # The client is gone.
            pass
        finally:
            # From now on another connection can have this number of a descriptor.
            self._ended = True
            self.release()

    def signed_in(self) -> None:
        """Stop the time that the client has to sign in."""
        if not self._ended:
            self._patience.deadline = math.inf

    @property
    def unsent(self) -> int:
        """How many bytes wait for the network."""
        return self._pending_bytes

    def write(self, data: bytes) -> None:
        """Give bytes to the kernel, and the bytes that it does not take now to a task."""
        if self._ended:
            return
        written = 0
        if not self._pending:
            try:
                written = os.write(self._fd, data)
            except BlockingIOError:
                written = 0
            except OSError:
                self._refused()
                return
        if written < len(data):
            self._keep(memoryview(data)[written:])

    def hang_up(self) -> None:
        """End our side after the last write, and stop if the client does not end its own."""
        if not self._ended:
            self._ended = True
            self._patience.deadline = trio.current_time() + CLOSE_SECONDS_MAX
            self._space.set()
            if not self._pending:
                self._shut_down()

    def abort(self) -> None:
        """End the connection at once; the bytes that wait for it are lost."""
        self.hang_up()
        self._patience.deadline = -math.inf

    def read_on(self) -> None:
        """Read from the client again, after what was read before."""
        self._space.set()

    async def _read(self) -> None:
        await self._carry_out()
        while data := await self._stream.receive_some(READ_BYTES):
            self._held = bytes(data)
            await self._carry_out()

    async def _carry_out(self) -> None:
        """Carry out the requests that were read, a few at one time, in turn with other clients."""
        # After our side has ended, the socket reads only to see the client's end.
        while self._held and not self._ended:
            data, self._held = self._held[:TURN_BYTES_MAX], self._held[TURN_BYTES_MAX:]
            self.feed(data)
            while not (self.may_read or self._ended):
                await self._space.wait()
            if self._held:
                await trio.lowlevel.checkpoint()

    def _keep(self, data: memoryview) -> None:
        self._pending.append(data)
        self._pending_bytes += len(data)
        if not self._writing:
            self._writing = True
            self._start(self._write_pending)
        self.paused = self.paused or self._pending_bytes > WRITE_BYTES_MAX
        self._hold(len(data))

    async def _write_pending(self) -> None:
        try:
            while self._pending:
                data = self._pending[0]
                await self._stream.send_all(data[:WRITE_BYTES])
                self._advance(data)
            if self._ended:
                self._shut_down()
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            # The reader notices the same, and releases everything.
            self._pending.clear()
        finally:
            self._writing = False

    def _advance(self, data: memoryview) -> None:
        """Advance past a piece that the kernel has taken."""
        if len(data) > WRITE_BYTES:
            self._pending[0] = data[WRITE_BYTES:]
        else:
            self._pending.popleft()
        self._pending_bytes -= min(len(data), WRITE_BYTES)
        if self.paused and self._pending_bytes <= WRITE_BYTES_MAX // 4:
            self.paused = False
            self._gateway.unsent.hold(self, 0)
            self._space.set()
            if not self._ended:
                self.connection.resume()

    def _shut_down(self) -> None:
        with contextlib.suppress(OSError):
            self._stream.socket.shutdown(socket.SHUT_WR)
