"""File descriptors: how many the process can have, and what the server does without any."""

from __future__ import annotations

import errno
import logging
import os
import socket
from contextlib import suppress
from typing import Self

import msgspec

from ..settings import Settings

__all__ = ["EXHAUSTED", "SpareDescriptor", "within_descriptors"]

logger = logging.getLogger("hubbub.server")

# The errors of accept() when the process or the system has no descriptor or memory left.
EXHAUSTED = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
# For the store, the event loop, listeners, and connections that the server turns away.
DESCRIPTORS_SPARE = 64
FEW_CONNECTIONS = 1_000
LOG_SECONDS = 60.0
UNLIMITED = 1 << 30


def within_descriptors(settings: Settings) -> Settings:
    """
    Raise the limit of descriptors as far as possible, and lower the limit of connections to it.

    Returns:
        The settings, perhaps with a smaller `connections_max`.
    """
    most = _raise_limit()
    # `Places` accepts an eighth more connections than there can be sockets.
    room = max(1, (most - DESCRIPTORS_SPARE) * 8 // 9)
    if settings.connections_max <= room:
        return settings
    # You did not ask for the default, but you will miss the connections if there are this few.
    asked = settings.connections_max != Settings().connections_max
    logger.log(
        logging.WARNING if asked or room < FEW_CONNECTIONS else logging.INFO,
        "connections_max is %d instead of %d: the process may open %d files",
        room,
        settings.connections_max,
        most,
    )
    return msgspec.structs.replace(settings, connections_max=room)


class SpareDescriptor:
    """
    A descriptor in reserve, to turn clients away when there is none to serve them.

    Without it a connection that the server cannot accept would wait, and wake it all the time.
    """

    def __init__(self) -> None:
        self._spare = -1
        self._logged_at = -LOG_SECONDS

    def __enter__(self) -> Self:
        self._spare = os.open(os.devnull, os.O_RDONLY)
        return self

    def __exit__(self, *exc_info: object) -> None:
        if self._spare >= 0:
            os.close(self._spare)

    def turn_away(self, listener: socket.socket, now: float) -> None:
        """
        Close the connection that waits longest.

        Args:
            listener: a socket that does not block.
            now: the time in seconds; there is one log line a minute.
        """
        if now - self._logged_at >= LOG_SECONDS:
            self._logged_at = now
            logger.warning("no file descriptors are left; the server turns clients away")
        if self._spare >= 0:
            os.close(self._spare)
            self._spare = -1
        with suppress(OSError):
            listener.accept()[0].close()
        with suppress(OSError):
            self._spare = os.open(os.devnull, os.O_RDONLY)


def _raise_limit() -> int:
    try:
        import resource  # noqa: PLC0415  # Windows has none
    except ImportError:
        return UNLIMITED
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return UNLIMITED if soft == resource.RLIM_INFINITY else soft
