"""The socket of one client, under any server."""

from __future__ import annotations

from typing import Protocol

from ...journal.live.topic import Sink

__all__ = ["Socket"]


class Socket(Sink, Protocol):
    """Carries the frames of one client. While it asks for a pause only answers do not wait."""

    # The client's address.
    address: str

    def send(self, payload: bytes) -> None:
        """Send one text frame, at the gateway's next flush at the latest."""

    def flush(self) -> None:
        """Send the frames that have gathered."""

    def close(self, code: int, reason: str) -> None:
        """Close with a code and a reason."""

    def read_on(self) -> None:
        """Read from the client again: the connection is no longer full."""

    def signed_in(self) -> None:
        """Stop the time that the client has to sign in."""

    def check_alive(self) -> None:
        """Ping the client; hang up if it has sent nothing since the last check."""
