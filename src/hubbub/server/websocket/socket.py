"""What carries the frames of one client, on whatever server."""

from __future__ import annotations

from typing import Protocol

from ...journal.live.topic import Encoder

__all__ = ["Socket"]


class Socket(Protocol):
    """What carries the frames of one client."""

    # Where the client is.
    address: str
    # True while the socket asks for a pause; batches wait, answers do not.
    paused: bool

    @property
    def encoder(self) -> Encoder:
        """Make what send_batch takes: one function for all sockets of a kind."""

    def send(self, payload: bytes) -> None:
        """Send one text frame, at the latest when the gateway is flushed."""

    def flush(self) -> None:
        """Send what has gathered."""

    def send_batch(self, batch: bytes) -> None:
        """Send what ``encoder`` has made."""

    def close(self, code: int, reason: str) -> None:
        """Close with a code and a reason."""

    def check_alive(self) -> None:
        """Ping the client; hang up if nothing came since the last time."""
