"""The client: a session over a network."""

from __future__ import annotations

from ..wire.connection_lost import ConnectionLost
from .connect import connect, session_over
from .dial import Dial, Transport

__all__ = ["ConnectionLost", "Dial", "Transport", "connect", "session_over"]
