"""Bytes that wait for clients that do not read, and which client to disconnect if too many do."""

from __future__ import annotations

from typing import Protocol

__all__ = ["UNSENT_BYTES_MAX", "Slow", "Unsent"]

# Bytes that wait for clients that do not read, for all connections together. Bytes below the
# limit of one connection do not count.
UNSENT_BYTES_MAX = 96 * 1024 * 1024


class Slow(Protocol):
    """A connection that bytes wait for."""

    def abort(self) -> None:
        """End the connection at once; the bytes that wait for it are lost."""


class Unsent:
    """
    The bytes that wait, by connection.

    Args:
        bytes_max: when more wait, the connection with the most is aborted.
    """

    def __init__(self, bytes_max: int = UNSENT_BYTES_MAX) -> None:
        self.total = 0
        self._bytes_max = bytes_max
        self._waiting: dict[Slow, int] = {}

    def hold(self, slow: Slow, size: int) -> None:
        """Note how many bytes wait for a connection now; 0 if it has caught up or is gone."""
        self.total += size - self._waiting.pop(slow, 0)
        if size:
            self._waiting[slow] = size
        while self.total > self._bytes_max:
            largest = max(self._waiting, key=self._waiting.__getitem__)
            self.total -= self._waiting.pop(largest)
            largest.abort()
