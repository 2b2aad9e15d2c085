"""The interface of what carries a session's frames."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Protocol

__all__ = ["Dial", "Transport"]


class Transport(Protocol):
    """Carries the frames of one connection; one task sends, another receives."""

    async def send(self, frame: bytes) -> None:
        """
        Send a frame.

        Raises:
            ConnectionLost: the connection is gone.
        """

    async def receive(self) -> str:
        """
        Wait for a frame.

        Raises:
            ConnectionLost: the connection is gone.
        """


# Opens a connection, or raises ConnectionLost.
Dial = Callable[[], AbstractAsyncContextManager[Transport]]
