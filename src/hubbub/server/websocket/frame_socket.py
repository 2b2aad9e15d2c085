"""A WebSocket whose frames we read and write ourselves: what both backends share."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence

from ...errors import RateLimited
from ...ratelimit import TokenBucket
from ...wire.messages import events_frame
from ..gateway import BUSY, FAILED, NOT_SIGNED_IN, SIGNED_OUT, TOO_FAST, Gateway
from .connection import Connection
from .frames import (
    BINARY,
    CLOSE,
    OVERSIZE,
    PING,
    PONG,
    TEXT,
    FrameError,
    Frames,
    close_frame,
    frame,
)

__all__ = ["CLOSE_SECONDS_MAX", "TURN_BYTES_MAX", "WRITE_BYTES_MAX", "FrameSocket"]

logger = logging.getLogger("hubbub.server")

# Bytes that wait for one client; above this, the server stops reading from the client, and the
# topics stop writing to it.
WRITE_BYTES_MAX = 64 * 1024
# Bytes that the server reads from one client before it turns to the others. They can hold some
# thousand of the smallest frames, and each frame is work.
TURN_BYTES_MAX = 8 * 1024
# How long the client has to read what the server sent, and to close, after the server has closed,
# in seconds. The server discards the bytes that still arrive: closing with unread bytes would
# reset the connection and lose the close frame.
CLOSE_SECONDS_MAX = 3.0

_PING = frame(b"", PING)


# The close code 1000, "normal closure"; a page that is reloaded closes with 1001, "going away".
_GOING_FOR_GOOD = (1000).to_bytes(2, "big")


class FrameSocket:
    """
    One WebSocket, after its handshake. A subclass reads and writes the bytes.

    Args:
        gateway: the gateway of its connection.
        peer: the other end of the connection.
        headers: of the handshake, with names in lower case.
    """

    __slots__ = (
        "_alive",
        "_answers",
        "_closed",
        "_frames",
        "_gateway",
        "_handed",
        "_pings",
        "_placed",
        "_taken",
        "address",
        "connection",
        "lost",
        "paused",
    )

    def __init__(self, gateway: Gateway, peer: str, headers: Iterable[tuple[bytes, bytes]]) -> None:
        self.address = gateway.address_of(peer, headers)
        self.paused = False
        # True unless the client has closed for good.
        self.lost = True
        # True after a close frame was sent: then the socket carries out and writes nothing.
        self._closed = False
        self._alive = True
        # The rate limit of pings; most clients never ping.
        self._pings: TokenBucket | None = None
        # True while it counts among the sockets of its address.
        self._placed = False
        # Bytes that had to wait for the network, and how many of them it had taken at the last
        # check.
        self._handed = 0
        self._taken = 0
        self._answers: list[bytes] = []
        self._gateway = gateway
        self._frames = Frames(gateway.settings.frame_bytes_max)
        self.connection = Connection(gateway, self)

    @staticmethod
    def encoder(bodies: Sequence[bytes]) -> bytes:
        """Make a frame for send_batch."""
        return frame(events_frame(bodies))

    @property
    def unsent(self) -> int:
        """How many bytes wait for the network."""
        raise NotImplementedError

    def feed(self, data: bytes) -> None:
        """Take bytes from the network."""
        if self._closed:
            return
        self._alive = True
        try:
            for opcode, payload in self._frames.feed(data):
                if opcode == TEXT:
                    self.connection.take(payload)
                else:
                    self._control(opcode, payload)
                if self._closed:
                    break
        except FrameError as error:
            self.close(error.code, str(error))
        except Exception:
            # It must not reach the event loop, which serves all the others.
            logger.exception("A connection failed and is closed.")
            self.close(FAILED, "The server failed; reconnect.")
        self._gateway.flush()

    def send(self, payload: bytes) -> None:
        """Send one text frame, at the gateway's next flush at the latest."""
        self._gather(frame(payload))

    def flush(self) -> None:
        """Send the frames that have gathered, as one write."""
        if self._answers:
            data = b"".join(self._answers)
            self._answers.clear()
            if not self._closed:
                self.write(data)

    def send_batch(self, batch: bytes) -> None:
        """
        Send a frame that is the same for all clients, after the frames that have gathered.

        If the client waits for an answer, the frame waits for the next flush, which follows each
        publication: most likely one write takes the events and the answer.
        """
        if self._answers:
            # One write for both: a write costs more than the copy.
            self._answers.append(batch)
            self.flush()
        elif self._closed:
            return
        elif self.connection.in_flight.count:
            self._gather(batch)
        else:
            self.write(batch)

    def close(self, code: int, reason: str) -> None:
        """Close with a code and a reason, after the frames that have gathered."""
        if not self._closed:
            self.lost = code != SIGNED_OUT
            self._close(close_frame(code, reason))

    def check_alive(self) -> None:
        """Ping; hang up if the client has sent and read nothing since the last check."""
        unsent = self.unsent
        taken = self._handed - unsent
        # While it is full, what the client has sent is not read.
        if not self._alive and taken == self._taken and not self.connection.full:
            self._end()
            return
        self._alive = False
        self._taken = taken
        # Behind other bytes a ping would be late, and pings would pile up.
        if not self._closed and not unsent:
            self.write(_PING)

    def check_place(self) -> None:
        """Close if the client's address has too many sockets already."""
        self._placed = self._gateway.places.enter_socket(self.address)
        if not self._placed:
            self.close(BUSY, "Too many connections from your address; close one.")

    def signed_in(self) -> None:
        """Stop the time that the client has to sign in."""
        raise NotImplementedError

    def check_signed_in(self) -> None:
        """Close if the client has not signed in."""
        if self.connection.session is None:
            self.close(NOT_SIGNED_IN, "Sign in first.")

    def write(self, data: bytes) -> None:
        """Give bytes to the network; pause if they pile up."""
        raise NotImplementedError

    def read_on(self) -> None:
        """Read from the client again: the connection is no longer full."""
        raise NotImplementedError

    @property
    def may_read(self) -> bool:
        """False while the answers to further requests, or the requests, would pile up."""
        return not (self.paused or self.connection.in_flight.held)

    def hang_up(self) -> None:
        """End our side after the last write, and abort if the client does not end its own."""
        raise NotImplementedError

    def abort(self) -> None:
        """End the connection at once; the bytes that wait for it are lost."""
        raise NotImplementedError

    def release(self) -> None:
        """Release everything: the connection is gone."""
        self._closed = True
        if self._placed:
            self._placed = False
            self._gateway.places.leave_socket(self.address)
        self._gateway.unsent.hold(self, 0)
        self.connection.release(lost=self.lost)
        # The two hold each other. Without this, memory would wait for the collector, which looks
        # at objects that have lived long only now and then.
        del self.connection

    def _refused(self) -> None:
        """End the connection, whose bytes the network refuses, if the reader does not notice it."""
        if not self.may_read:
            self.abort()

    def _hold(self, handed: int = 0) -> None:
        """Note that more waits; above the limit the socket is paused."""
        self._handed += handed
        if self.paused or self.unsent > WRITE_BYTES_MAX:
            self._gateway.unsent.hold(self, self.unsent)

    def _gather(self, data: bytes) -> None:
        if not self._answers:
            self._gateway.unflushed.append(self)
        self._answers.append(data)

    def _close(self, last: bytes) -> None:
        self.flush()
        self.write(last)
        self._end()

    def _end(self) -> None:
        # The server ignores further requests, and the user no longer counts as connected.
        self._closed = True
        self.connection.release(lost=self.lost)
        self.hang_up()

    def _pong(self, payload: bytes) -> None:
        if self._pings is None:
            self._pings = self._gateway.new_pace()
        try:
            self._pings.charge(self._gateway.monotonic())
        except RateLimited:
            self.close(TOO_FAST, "You ping too often.")
        else:
            self._gather(frame(payload, PONG))

    def _control(self, opcode: int, payload: bytes) -> None:
        if opcode == PING:
            self._pong(payload)
        elif opcode == CLOSE:
            self.lost = payload[:2] != _GOING_FOR_GOOD
            self._close(frame(payload[:2], CLOSE))
        elif opcode == OVERSIZE:
            self.connection.oversize()
        elif opcode == BINARY:
            # The protocol is text; the peer answers so.
            self.connection.receive(b"\xff")
