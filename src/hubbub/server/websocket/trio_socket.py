"""
WebSockets on trio, without a task while they are idle.

A selector calls a socket when there are bytes to read, or when the kernel takes more of the bytes
that wait to be written. A task runs only after our side has ended.
"""

from __future__ import annotations

import contextlib
import logging
import os
import socket
from collections import deque
from collections.abc import Callable, Iterable
from selectors import EVENT_READ, EVENT_WRITE

import trio  # noqa: TID251  # it is a socket of trio's loop

from ...wake_up import WakeUp
from ..gateway import Gateway
from .frame_socket import CLOSE_SECONDS_MAX, TURN_BYTES_MAX, WRITE_BYTES_MAX, FrameSocket
from .trio_selector import TrioSelector

__all__ = ["TrioSocket"]

logger = logging.getLogger("hubbub.server")


class TrioSocket(FrameSocket):
    """
    One WebSocket, after its handshake.

    Args:
        gateway: the gateway of its connection.
        selector: calls it.
        own: the TCP connection; the socket closes it.
        peer: the address of the other end.
        headers: of the handshake, with names in lower case.
        on_lost: called when the connection is gone.
    """

    __slots__ = (
        "_aborted",
        "_ended",
        "_gone",
        "_held",
        "_news",
        "_on_lost",
        "_own",
        "_pending",
        "_pending_bytes",
        "_selector",
        "fd",
    )

    def __init__(  # noqa: PLR0913
        self,
        gateway: Gateway,
        selector: TrioSelector,
        own: socket.socket,
        peer: str,
        headers: Iterable[tuple[bytes, bytes]],
        on_lost: Callable[[], None],
    ) -> None:
        super().__init__(gateway, peer, headers)
        self._selector = selector
        self._own = own
        self.fd = own.fileno()
        self._on_lost = on_lost
        # Bytes that the kernel did not take. Most sockets have none, and a deque is large.
        self._pending: deque[memoryview] | None = None
        self._pending_bytes = 0
        # Bytes that came with the handshake and wait for their turn.
        self._held = b""
        # True when our side has ended, or will end after the pending bytes; when nobody waits for
        # the client to end its own; and when the connection is gone.
        self._ended = self._aborted = self._gone = False
        # Set at each change that a task of the socket waits for.
        self._news = WakeUp()

    def begin(self, answer: bytes, rest: bytes) -> None:
        """
        Answer the handshake, start reading, and start the time that the client has to sign in.

        Args:
            answer: the head of the answer.
            rest: the bytes that came after the handshake already.
        """
        try:
            seconds = self._gateway.settings.sign_in_seconds_max
            self._selector.sign_ins.add(self, seconds, self._check_signed_in)
            self._held = rest
            self.write(answer)
            self.check_place()
            self._watch()
        except BaseException:
            self.connection_lost()
            raise

    def signed_in(self) -> None:
        """Stop the time that the client has to sign in."""
        self._selector.sign_ins.discard(self)

    @property
    def unsent(self) -> int:
        """How many bytes wait for the network."""
        return self._pending_bytes

    def ready(self, events: int) -> None:
        """Write the bytes that wait, and carry out some requests."""
        if self._pending and events & EVENT_WRITE:
            self._write_pending()
        if events & EVENT_READ and not self._gone:
            self._read()
        elif self._held and self.may_read:
            data, self._held = self._held[:TURN_BYTES_MAX], self._held[TURN_BYTES_MAX:]
            self.feed(data)
        self._watch()

    def write(self, data: bytes) -> None:
        """Give bytes to the kernel, and keep the bytes that it does not take now."""
        if self._ended:
            return
        written = 0
        if not self._pending:
            try:
                written = os.write(self.fd, data)
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
            self._held = b""
            self._selector.sign_ins.discard(self)
            self._news.set()
            if not self._pending:
                self._shut_down()
            self._watch()
            self._selector.start(self._await_end)

    def abort(self) -> None:
        """End the connection at once; the bytes that wait for it are lost."""
        # A task releases everything, because the connection may be in the middle of a request.
        self.hang_up()
        self._aborted = True
        self._news.set()

    def read_on(self) -> None:
        """Read from the client again, after what was read before."""
        self._watch()

    def connection_lost(self) -> None:
        """Release everything that the connection holds."""
        if self._gone:
            return
        self._gone = self._ended = True
        self._selector.sign_ins.discard(self)
        self._selector.discard(self)
        self._news.set()
        self._pending, self._pending_bytes, self._held = None, 0, b""
        # From now on another connection can have this number of a descriptor.
        self._own.close()
        try:
            self.release()
        except Exception:
            # It must not reach the selector, which serves all the others.
            logger.exception("a connection failed")

    def release(self) -> None:
        """Release everything that the server counts for the connection."""
        try:
            super().release()
        finally:
            self._on_lost()

    def _check_signed_in(self) -> None:
        try:
            self.check_signed_in()
        except Exception:
            self.connection_lost()
            raise

    async def _await_end(self) -> None:
        with trio.move_on_after(CLOSE_SECONDS_MAX):
            while not (self._gone or self._aborted):
                await self._news.wait()
        self.connection_lost()

    def _watch(self) -> None:
        """Tell the selector what the socket waits for."""
        if self._gone:
            return
        may_read = self._ended or self.may_read
        events = EVENT_READ if may_read and not self._held else 0
        # The kernel almost always takes bytes: this gives the held bytes the next turn.
        if self._pending or (self._held and may_read):
            events |= EVENT_WRITE
        self._selector.watch(self, events)

    def _read(self) -> None:
        try:
            # No more than the turn of one client: the rest waits in the kernel.
            data = os.read(self.fd, TURN_BYTES_MAX)
        except BlockingIOError:
            return
        except OSError:
            # The client has reset the connection.
            data = b""
        if not data:
            self.connection_lost()
        elif not self._ended:
            # Otherwise it reads only to see the client's end.
            self.feed(data)

    def _keep(self, data: memoryview) -> None:
        if self._pending is None:
            self._pending = deque()
        self._pending.append(data)
        self._pending_bytes += len(data)
        self.paused = self.paused or self._pending_bytes > WRITE_BYTES_MAX
        self._watch()
        self._hold(len(data))

    def _write_pending(self) -> None:
        try:
            while self._pending:
                self._advance(os.write(self.fd, self._pending[0]))
        except BlockingIOError:
            pass
        except OSError:
            # The client is gone.
            self.connection_lost()
            return
        if self._ended and not self._pending:
            self._shut_down()
        if self.paused and self._pending_bytes <= WRITE_BYTES_MAX // 4:
            self.paused = False
            self._gateway.unsent.hold(self, 0)
            if not self._ended:
                self.connection.resume()

    def _advance(self, written: int) -> None:
        """Advance past bytes that the kernel has taken."""
        assert self._pending
        data = self._pending.popleft()
        self._pending_bytes -= written
        if written < len(data):
            self._pending.appendleft(data[written:])

    def _shut_down(self) -> None:
        with contextlib.suppress(OSError):
            self._own.shutdown(socket.SHUT_WR)
