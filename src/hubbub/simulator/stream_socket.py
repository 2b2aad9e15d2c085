"""The server's end of a WebSocket over a byte stream of the simulated network."""

from __future__ import annotations

import math
from collections.abc import Iterable

import anyio
import anyio.lowlevel

from ..server.gateway import Gateway
from ..server.websocket.frame_socket import (
    CLOSE_SECONDS_MAX,
    TURN_BYTES_MAX,
    WRITE_BYTES_MAX,
    FrameSocket,
)
from ..testing.simulation.stream import NetworkStream
from ..wake_up import WakeUp

__all__ = ["StreamSocket"]

GONE = (anyio.BrokenResourceError, anyio.ClosedResourceError)


class StreamSocket(FrameSocket):
    """
    One WebSocket, after its handshake.

    Args:
        gateway: the gateway of its connection.
        stream: the connection.
        headers: of the handshake, with names in lower case.
        rest: the bytes that came after the handshake already.
    """

    __slots__ = ("_ended", "_held", "_patience", "_space", "_stream", "_waits")

    def __init__(
        self,
        gateway: Gateway,
        stream: NetworkStream,
        headers: Iterable[tuple[bytes, bytes]],
        rest: bytes,
    ) -> None:
        super().__init__(gateway, stream.remote[0], headers)
        self._stream = stream
        self._held = rest
        # True when our side has ended.
        self._ended = False
        # Set when the client has read what waited, so that the socket reads again.
        self._space = WakeUp()
        # True while a task waits for the client to read.
        self._waits = False
        patience = gateway.settings.sign_in_seconds_max
        self._patience = anyio.CancelScope(deadline=anyio.current_time() + patience)

    @property
    def unsent(self) -> int:
        """How many bytes wait for the network."""
        return self._stream.unsent

    def signed_in(self) -> None:
        """Stop the time that the client has to sign in."""
        if not self._ended:
            self._patience.deadline = math.inf

    async def run(self) -> None:
        """Read until either side closes."""
        try:
            self.check_place()
            with self._patience:
                await self._read()
            if self._patience.cancelled_caught and not self._ended:
                self.check_signed_in()
                wait = CLOSE_SECONDS_MAX if self._ended else math.inf
                with anyio.CancelScope(deadline=anyio.current_time() + wait) as self._patience:
                    await self._read()
        except GONE:
            # The client is gone.
            pass
        finally:
            self._ended = True
            self._stream.close()
            self.release()

    def write(self, data: bytes) -> None:
        """Give bytes to the network; pause if they pile up."""
        if self._ended:
            return
        try:
            self._stream.write_nowait(data)
        except GONE:
            self._refused()
            return
        if self.unsent:
            if not self._waits:
                self._waits = True
                self._gateway.hub.start(self._wait_for_space)
            self.paused = self.paused or self.unsent > WRITE_BYTES_MAX
            self._hold(len(data))

    def hang_up(self) -> None:
        """End our side after the last write, and stop if the client does not end its own."""
        if not self._ended:
            self._ended = True
            self._patience.deadline = anyio.current_time() + CLOSE_SECONDS_MAX
            self._space.set()
            if not self._stream.is_over:
                self._stream.write_eof()

    def read_on(self) -> None:
        """Read from the client again, after what was read before."""
        self._space.set()

    def abort(self) -> None:
        """End the connection at once; the bytes that wait for it are lost."""
        self.hang_up()
        self._patience.deadline = -math.inf

    async def _read(self) -> None:
        await self._carry_out()
        try:
            while True:
                self._held = await self._stream.receive()
                await self._carry_out()
        except anyio.EndOfStream:
            return

    async def _carry_out(self) -> None:
        while self._held and not self._ended:
            data, self._held = self._held[:TURN_BYTES_MAX], self._held[TURN_BYTES_MAX:]
            self.feed(data)
            while not (self.may_read or self._ended):
                await self._space.wait()
            if self._held:
                await anyio.lowlevel.checkpoint()

    async def _wait_for_space(self) -> None:
        try:
            while self.unsent and not self._stream.is_over:
                # It returns when the client has read.
                await self._stream.send(b"")
                self._gateway.unsent.hold(self, self.unsent)
            self.paused = False
            self._space.set()
            if not self._ended:
                self.connection.resume()
        except GONE:
            return
        finally:
            self._waits = False
