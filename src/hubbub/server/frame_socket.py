"""A WebSocket whose frames we read and write ourselves: what both backends share."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..journal.topic import Form
from ..wire.messages import events_frame
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
from .gateway import NOT_SIGNED_IN, SIGNED_OUT, Gateway

__all__ = ["WRITE_BYTES_MAX", "FrameSocket"]

# Bytes wait for the network up to this; above it the topics do not write any more.
WRITE_BYTES_MAX = 256 * 1024

_PING = frame(b"", PING)


# The close code 1000, "normal closure"; who reloads a page says 1001, "going away".
_GOING_FOR_GOOD = (1000).to_bytes(2, "big")


def _framed_events(bodies: Sequence[bytes]) -> bytes:
    return frame(events_frame(bodies))


class FrameSocket:
    """
    One WebSocket, after its handshake. A subclass brings the bytes and takes them away.

    Args:
        gateway: what its connection belongs to.
        peer: the other end of the connection.
        headers: of the request that asked for it, their names in small letters.
    """

    __slots__ = (
        "_alive",
        "_answers",
        "_frames",
        "_gateway",
        "address",
        "connection",
        "lost",
        "paused",
    )

    def __init__(self, gateway: Gateway, peer: str, headers: Iterable[tuple[bytes, bytes]]) -> None:
        self.address = gateway.address_of(peer, headers)
        self.paused = False
        # True unless the client has said that it goes for good.
        self.lost = True
        self._alive = True
        self._answers: list[bytes] = []
        self._gateway = gateway
        self._frames = Frames(gateway.settings.frame_bytes_max)
        self.connection = Connection(gateway, self)

    @property
    def form(self) -> Form:
        """Make what send_chunk takes."""
        return _framed_events

    def feed(self, data: bytes) -> None:
        """Take bytes from the network."""
        self._alive = True
        try:
            for opcode, payload in self._frames.feed(data):
                if opcode == TEXT:
                    self.connection.receive(payload)
                else:
                    self._control(opcode, payload)
        except FrameError as error:
            self.close(error.code, str(error))

    def send(self, payload: bytes) -> None:
        """Send one text frame, at the latest when the gateway is flushed."""
        if not self._answers:
            self._gateway.unflushed.append(self)
        self._answers.append(frame(payload))

    def flush(self) -> None:
        """Send what has gathered, as one write."""
        if self._answers:
            data = b"".join(self._answers)
            self._answers.clear()
            self.write(data)

    def send_chunk(self, chunk: bytes) -> None:
        """Send a frame that was made once for all, after what has gathered."""
        if self._answers:
            self.flush()
        self.write(chunk)

    def close(self, code: int, reason: str) -> None:
        """Close with a code and a reason."""
        self.lost = code != SIGNED_OUT
        self.flush()
        self.write(close_frame(code, reason))
        self.hang_up()

    def check_alive(self) -> None:
        """Ping, and hang up if nothing came since the last time."""
        if not self._alive:
            self.hang_up()
        self._alive = False
        self.write(_PING)

    def check_signed_in(self) -> None:
        """Close if nobody has signed in."""
        if self.connection.session is None:
            self.close(NOT_SIGNED_IN, "Sign in first.")

    def write(self, data: bytes) -> None:
        """Give bytes to the network; when they pile up, pause."""
        raise NotImplementedError

    def hang_up(self) -> None:
        """Close the TCP connection, after what was written."""
        raise NotImplementedError

    def _control(self, opcode: int, payload: bytes) -> None:
        if opcode == PING:
            self.write(frame(payload, PONG))
        elif opcode == CLOSE:
            self.lost = payload[:2] != _GOING_FOR_GOOD
            self.write(frame(payload[:2], CLOSE))
            self.hang_up()
        elif opcode == OVERSIZE:
            self.connection.oversize()
        elif opcode == BINARY:
            # The protocol is text; the answer says so.
            self.connection.receive(b"\xff")
