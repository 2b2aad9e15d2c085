"""What happens in a room. The tags are the types on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from ..journal.event import Data

__all__ = [
    "Created",
    "Deleted",
    "Edited",
    "Invited",
    "Joined",
    "Kicked",
    "Left",
    "Reacted",
    "Role",
    "RoleSet",
    "RoomClosed",
    "RoomEvent",
    "Said",
    "Unreacted",
    "UserBanned",
    "UserMuted",
]

Role = Literal["creator", "moderator", "member"]


class Created(Data, frozen=True, tag="created"):
    """The room was made; for a direct stream, with its two users in it."""

    name: str
    private: bool = False
    direct: tuple[str, str] | None = None


class Joined(Data, frozen=True, tag="joined"):
    """``by`` joined."""


class Left(Data, frozen=True, tag="left"):
    """``by`` left."""


class Invited(Data, frozen=True, tag="invited"):
    """A user may join, even if the room is private, even if there was a ban."""

    user: str


class Kicked(Data, frozen=True, tag="kicked"):
    """A user was kicked, and may join again."""

    user: str


class UserBanned(Data, frozen=True, tag="banned"):
    """A user was banned, and may not join again."""

    user: str


class UserMuted(Data, frozen=True, tag="muted"):
    """A user may not speak until a time."""

    user: str
    until: datetime


class RoleSet(Data, frozen=True, tag="role"):
    """A member's role changed."""

    user: str
    role: Role


class RoomClosed(Data, frozen=True, tag="closed"):
    """Nothing more is said in the room, and nobody can join."""


class Said(Data, frozen=True, tag="message"):
    """A message."""

    text: str
    reply_to: int | None = None


class Edited(Data, frozen=True, tag="edited"):
    """The message ``ref`` has another text."""

    text: str


class Deleted(Data, frozen=True, tag="deleted"):
    """The message ``ref`` is gone; its seq stays."""


class Reacted(Data, frozen=True, tag="reacted"):
    """``by`` put an emoji to the message ``ref``."""

    emoji: str


class Unreacted(Data, frozen=True, tag="unreacted"):
    """``by`` took it back."""

    emoji: str


RoomEvent = (
    Said
    | Edited
    | Deleted
    | Reacted
    | Unreacted
    | Created
    | Joined
    | Left
    | Invited
    | Kicked
    | UserBanned
    | UserMuted
    | RoleSet
    | RoomClosed
)
