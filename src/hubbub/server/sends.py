"""
Sends that an ASGI server has not finished, and which clients to disconnect because of them.

A server makes the application wait while a client does not read. Some servers wait forever, and
some do so even if the application's task is cancelled. So the gateway looks at all sends from
time to time, and releases whatever a client holds without waiting for its task.
"""

from __future__ import annotations

import logging
from typing import Protocol

import anyio

__all__ = ["SEND_SECONDS_MAX", "Sender", "Sends"]

logger = logging.getLogger("hubbub.server")

# How long a client can take to make room for one message, in seconds, before it counts as gone. The
# network has taken some megabytes by then, which the client has not read either.
SEND_SECONDS_MAX = 20.0


class Sender(Protocol):
    """A response, or a socket, that sends messages one after another."""

    def drop(self) -> None:
        """Release everything at once, although a message is still being sent."""


class Sends:
    """The sends of a gateway that have begun."""

    def __init__(self) -> None:
        self._began: dict[Sender, float] = {}

    def begin(self, sender: Sender) -> None:
        """Note that a send begins."""
        self._began[sender] = anyio.current_time()

    def end(self, sender: Sender) -> None:
        """Note that the send has ended."""
        self._began.pop(sender, None)

    def look(self) -> None:
        """Disconnect the clients that have made no room for too long."""
        latest = anyio.current_time() - SEND_SECONDS_MAX
        for sender in [sender for sender, began in self._began.items() if began <= latest]:
            self.end(sender)
            try:
                sender.drop()
            except Exception:
                # The others are looked at all the same.
                logger.exception("The server could not disconnect a client.")
