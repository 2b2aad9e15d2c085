"""The socket of one client, under any server."""

from __future__ import annotations

from typing import Protocol

from ...journal.live.topic import Encoder

__all__ = ["Socket"]


class Socket(Protocol):
    """Carries the frames of one client."""

    # The client's address.
    address: str
    # True while the socket asks for a pause: then batches wait, and answers do not.
    paused: bool

    @property
    def encoder(self) -> Encoder:
        """The function that makes the batches, the same for all sockets of a kind."""

    def send(self, payload: bytes) -> None:
        """Send one text frame, at the gateway's next flush at the latest."""

    def flush(self) -> None:
        """Send the frames that have gathered."""

    def send_batch(self, batch: bytes) -> None:
        """Send a batch that ``encoder`` has made."""

    def close(self, code: int, reason: str) -> None:
        """Close with a code and a reason."""

    def read_on(self) -> None:
        """Read from the client again: the connection is no longer full."""

    def check_alive(self) -> None:
        """Ping the client; hang up if it has sent nothing since the last check."""
