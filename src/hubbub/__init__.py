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
    NoOpponent,
    NotAllowed,
    NotAuthor,
    NotFound,
    NotMember,
    Overloaded,
    PaymentDeclined,
    RateLimited,
    StorageError,
)
from .games.board import Board, Entry, Season
from .games.game import Game, Handler, Table
from .games.match import Match
from .games.rules import BestOf, Custom, FirstTo, Outcome, Rounds, Standing, Timed
from .hub import Hubbub
from .hub import open_hub as open  # noqa: A004  # hubbub.open reads like the built-in on purpose
from .journal.event import Event, Signal
from .session import Session
from .settings import Settings
from .users.user import User

__all__ = [
    "Banned",
    "BestOf",
    "Board",
    "Closed",
    "Conflict",
    "Custom",
    "Entry",
    "Event",
    "FirstTo",
    "Game",
    "Handler",
    "Hubbub",
    "HubbubError",
    "Invalid",
    "KeyReused",
    "Match",
    "Message",
    "Muted",
    "NoOpponent",
    "NotAllowed",
    "NotAuthor",
    "NotFound",
    "NotMember",
    "Outcome",
    "Overloaded",
    "PaymentDeclined",
    "RateLimited",
    "Room",
    "Rounds",
    "Season",
    "Session",
    "Settings",
    "Signal",
    "Standing",
    "StorageError",
    "Table",
    "Timed",
    "User",
    "connect",
    "open",
]
