"""Hubbub: the live parts of an application, for asyncio and trio."""

from __future__ import annotations

from .chat.message import Message
from .chat.room import Room
from .client import connect
from .errors import (
    Banned,
    Closed,
    Conflict,
    HubbubError,
    Invalid,
    KeyReused,
    Muted,
    NotAllowed,
    NotAuthor,
    NotFound,
    NotMember,
    Overloaded,
    PaymentDeclined,
    RateLimited,
    StorageError,
)
from .hub import Hubbub
from .hub import open_hub as open  # noqa: A004  # hubbub.open reads like the built-in on purpose
from .journal.event import Event
from .session import Session
from .settings import Settings
from .users.user import User

__all__ = [
    "Banned",
    "Closed",
    "Conflict",
    "Event",
    "Hubbub",
    "HubbubError",
    "Invalid",
    "KeyReused",
    "Message",
    "Muted",
    "NotAllowed",
    "NotAuthor",
    "NotFound",
    "NotMember",
    "Overloaded",
    "PaymentDeclined",
    "RateLimited",
    "Room",
    "Session",
    "Settings",
    "StorageError",
    "User",
    "connect",
    "open",
]
