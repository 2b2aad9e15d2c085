"""
WebSockets on asyncio, written to without waiting.

Under uvicorn each WebSocket has a queue, a task and a parser. Thousands of clients that follow
a room need none of these: here a socket is a protocol object, which hands frames to its
connection, and writes frames that are the same for all clients.
"""

from __future__ import annotations

import asyncio  # noqa: TID251  # it is a protocol of uvicorn's loop
import os
from collections.abc import Iterable

from ..gateway import Gateway
from .frame_socket import CLOSE_SECONDS_MAX, TURN_BYTES_MAX, WRITE_BYTES_MAX, FrameSocket

__all__ = ["AsyncioSocket"]


class AsyncioSocket(FrameSocket, asyncio.Protocol):
    """
    One WebSocket, after its handshake.

    Args:
        gateway: the gateway of its connection.
        transport: the TCP connection.
        peer: the address of the other end.
        headers: of the handshake, with names in lower case.
    """

    __slots__ = ("_direct", "_ending", "_fd", "_held", "_patience", "_reading", "_transport")

    def __init__(
        self,
        gateway: Gateway,
        transport: asyncio.Transport,
        peer: str,
        headers: Iterable[tuple[bytes, bytes]],
    ) -> None:
        super().__init__(gateway, peer, headers)
        self._transport = transport
        # Aborts the connection when the client does not end its side.
        self._ending: asyncio.TimerHandle | None = None
        # Closes the connection of a client that does not sign in.
        self._patience: asyncio.TimerHandle | None = None
        # Bytes that were read and wait for their turn; meanwhile the socket reads no more.
        self._held = b""
        self._reading = True
        # Windows can write to a file only, not to a socket.
        direct = os.name == "posix" and transport.get_extra_info("sslcontext") is None
        self._fd = int(transport.get_extra_info("socket").fileno()) if direct else -1
        # True if the transport neither has bytes to write, nor encrypts, nor closes.
        # A response of before may wait to be written.
        self._direct = direct and not transport.get_write_buffer_size()
        transport.set_write_buffer_limits(high=WRITE_BYTES_MAX)

    def begin(self, answer: bytes, data: bytes) -> None:
        """
        Answer the handshake, start reading, and start the time that the client has to sign in.

        Args:
            answer: the head of the answer.
            data: bytes that came after the handshake already.
        """
        self.write(answer)
        loop, patience = asyncio.get_running_loop(), self._gateway.settings.sign_in_seconds_max
        self._patience = loop.call_later(patience, self.check_signed_in)
        self.check_place()
        if data:
            self.data_received(data)

    def signed_in(self) -> None:
        """Stop the time that the client has to sign in; a timer takes memory."""
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    @property
    def unsent(self) -> int:
        """How many bytes wait for the network."""
        return self._transport.get_write_buffer_size()

    def data_received(self, data: bytes) -> None:
        """Take bytes from the network: some now, and the others in their turn."""
        if self._held or not self.may_read:
            # The transport had read it before it was paused.
            self._held += data
        elif len(data) <= TURN_BYTES_MAX:
            self.feed(data)
            if not self.may_read:
                self._read_or_not()
        else:
            self._take_turn(data)

    def eof_received(self) -> None:
        """End our side too: the client has ended its own."""
        self.hang_up()

    def pause_writing(self) -> None:
        """Write no batches for now, and read no requests, whose answers would pile up."""
        self.paused = True
        self._hold()
        self._read_or_not()

    def resume_writing(self) -> None:
        """Write and read again."""
        self._gateway.unsent.hold(self, 0)
        self.paused = False
        if self._ending is None:
            self.connection.resume()
        self.read_on()

    def read_on(self) -> None:
        """Read from the client again, after what was read before."""
        if self._held:
            self._next_turn()
        self._read_or_not()

    def connection_lost(self, exc: Exception | None) -> None:
        """Release everything that the connection holds."""
        # From now on another connection can have this number of a descriptor.
        self._direct = False
        self._held = b""
        # A timer would keep the connection in memory until its time.
        for timer in (self._ending, self._patience):
            if timer is not None:
                timer.cancel()
        self.release()

    def write(self, data: bytes) -> None:
        """
        Give bytes to the kernel, and the bytes that it does not take now to the transport.

        A write through the transport would be a third of the cost of a frame, and is needed
        only if the transport has bytes to write, or encrypts.
        """
        if not self._direct:
            if self._ending is not None or self._transport.is_closing():
                return
            if self._fd < 0 or self._transport.get_write_buffer_size():
                self._hand_over(data)
                return
            self._direct = True
        try:
            written = os.write(self._fd, data)
        except BlockingIOError:
            written = 0
        except OSError:
            self._refused()
            return
        if written < len(data):
            self._hand_over(memoryview(data)[written:])

    def _hand_over(self, data: bytes | memoryview) -> None:
        self._direct = False
        self._transport.write(data)
        self._hold(len(data))

    def hang_up(self) -> None:
        """End our side after the last write, and abort if the client does not end its own."""
        transport = self._transport
        self._direct = False
        if self._ending is not None or transport.is_closing():
            return
        loop = asyncio.get_running_loop()
        self._ending = loop.call_later(CLOSE_SECONDS_MAX, transport.abort)
        self._held = b""
        self._read_or_not()
        try:
            if transport.can_write_eof():
                transport.write_eof()
            else:
                transport.close()
        except OSError:
            # The client has reset the connection, and the transport has not noticed yet.
            transport.abort()

    def abort(self) -> None:
        """End the connection at once; the bytes that wait for it are lost."""
        self._direct = False
        self._transport.abort()

    def _take_turn(self, data: bytes) -> None:
        self.feed(data[:TURN_BYTES_MAX])
        if self._ending is None:
            self._held = data[TURN_BYTES_MAX:]
            self._next_turn()
            self._read_or_not()

    def _next_turn(self) -> None:
        asyncio.get_running_loop().call_soon(self._go_on)

    def _go_on(self) -> None:
        # It may have been paused or closed since.
        if self._held and self.may_read and not self._transport.is_closing():
            held, self._held = self._held, b""
            self.data_received(held)
            self._read_or_not()

    def _read_or_not(self) -> None:
        """Read if there are no requests to carry out first, or to see the client's end."""
        wanted = self._ending is not None or (self.may_read and not self._held)
        if wanted is not self._reading and not self._transport.is_closing():
            self._reading = wanted
            if wanted:
                self._transport.resume_reading()
            else:
                self._transport.pause_reading()
