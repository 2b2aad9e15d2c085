"""A connection between two hosts: both its ends."""

from __future__ import annotations

from dataclasses import dataclass

from .pipe import Pipe
from .stream import NetworkStream

__all__ = ["Link"]


@dataclass(frozen=True, slots=True, eq=False)
class Link:
    """
    A connection.

    Args:
        client: the end that connected.
        server: the end that was accepted.
        upward: the bytes from the client.
        downward: the bytes to the client.
    """

    client: NetworkStream
    server: NetworkStream
    upward: Pipe
    downward: Pipe

    @property
    def hosts(self) -> tuple[str, str]:
        """The client's host and the server's."""
        return self.client.local[0], self.server.local[0]

    @property
    def is_over(self) -> bool:
        """Whether both ends are closed or broken."""
        return self.client.is_over and self.server.is_over

    def end_at(self, host: str) -> NetworkStream:
        """Return the end at a host."""
        return self.client if self.client.local[0] == host else self.server

    def end_towards(self, host: str) -> NetworkStream:
        """Return the end whose other end is at a host."""
        return self.server if self.client.local[0] == host else self.client

    def cut(self) -> None:
        """Reset it: both ends break at once, and the bytes under way are lost."""
        self.client.break_off()
        self.server.break_off()

    def half_open(self, gone: str) -> None:
        """Break the end at one host, and let the other notice nothing."""
        self.end_towards(gone).orphan()
        self.end_at(gone).break_off()
