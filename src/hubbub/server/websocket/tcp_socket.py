"""
WebSockets of our own server, without a task.

A selector calls a socket when there are bytes to read, or when the kernel takes more of the bytes
that wait to be written.
"""

from __future__ import annotations

import contextlib
import logging
import socket
from collections import deque
from collections.abc import Callable, Iterable
from selectors import EVENT_READ, EVENT_WRITE

from ..gateway import Gateway
from ..selector import Selector
from .frame_socket import CLOSE_SECONDS_MAX, TURN_BYTES_MAX, WRITE_BYTES_MAX, FrameSocket

__all__ = ["TcpSocket"]

logger = logging.getLogger("hubbub.server")


class TcpSocket(FrameSocket):
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
        "_ended",
        "_gone",
        "_held",
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
        selector: Selector,
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
        # True when our side has ended, or will end after the pending bytes; and when the connection
        # is gone.
        self._ended = self._gone = False

    def begin(self, answer: bytes, rest: bytes) -> None:
        """
        Answer the handshake, start reading, and start the time that the client has to sign in.

        Args:
            answer: the head of the answer.
            rest: the bytes that came after the handshake already.
        """
        try:
            seconds = self._gateway.settings.sign_in_seconds_max
            self._selector.deadlines.add(self, seconds, self._check_signed_in)
            self._held = rest
            self.write(answer)
            self.check_place()
            self._watch()
        except BaseException:
            self.connection_lost()
            raise

    def signed_in(self) -> None:
        """Stop the time that the client has to sign in."""
        # After our side has ended there is another deadline, and the sign-in came too late.
        if not self._ended:
            self._selector.deadlines.discard(self)

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
                written = self._own.send(data)
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
            if not self._pending:
                self._shut_down()
            self._watch()
            self._lose_after(CLOSE_SECONDS_MAX)

    def abort(self) -> None:
        """End the connection at once; the bytes that wait for it are lost."""
        self.hang_up()
        # Not now, because the connection may be in the middle of a request.
        self._lose_after(0.0)

    def read_on(self) -> None:
        """Read from the client again, after what was read before."""
        self._watch()

    def connection_lost(self) -> None:
        """Release everything that the connection holds."""
        if self._gone:
            return
        self._gone = self._ended = True
        self._selector.deadlines.discard(self)
        self._selector.discard(self)
        self._pending, self._pending_bytes, self._held = None, 0, b""
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

    def _lose_after(self, seconds: float) -> None:
        if not self._gone:
            self._selector.deadlines.add(self, seconds, self.connection_lost)

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
            data = self._own.recv(TURN_BYTES_MAX)
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
                self._advance(self._own.send(self._pending[0]))
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
