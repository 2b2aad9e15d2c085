"""The events of a room. The tags are the types on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from ..journal.event import Data
from ..rosters import DevicesChanged

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
    "RoomEncrypted",
    "RoomEvent",
    "Said",
    "SealedChange",
    "SealedMessage",
    "Unreacted",
    "UserBanned",
    "UserMuted",
]

Role = Literal["creator", "moderator", "member"]


class Created(Data, frozen=True, tag="created"):
    """The room was created; a direct conversation with its two users in it."""

    name: str
    private: bool = False
    direct: tuple[str, str] | None = None


class Joined(Data, frozen=True, tag="joined"):
    """``by`` joined."""


class Left(Data, frozen=True, tag="left"):
    """``by`` left."""


class Invited(Data, frozen=True, tag="invited"):
    """A user can join, even if the room is private or they were banned."""

    user: str


class Kicked(Data, frozen=True, tag="kicked"):
    """A user was kicked, and can join again."""

    user: str


class UserBanned(Data, frozen=True, tag="banned"):
    """A user was banned, and cannot join again."""

    user: str


class UserMuted(Data, frozen=True, tag="muted"):
    """A user cannot send messages until a time."""

    user: str
    until: datetime


class RoleSet(Data, frozen=True, tag="role"):
    """A member's role changed."""

    user: str
    role: Role


class RoomClosed(Data, frozen=True, tag="closed"):
    """The room was closed: it takes no more messages, and nobody can join."""


class RoomEncrypted(Data, frozen=True, tag="encrypted"):
    """From now on the room takes only encrypted messages."""

    algorithm: str


class SealedMessage(Data, frozen=True, tag="sealed"):
    """
    An encrypted message.

    Args:
        device: the device of ``by`` that sent it.
        session: the session whose key reads it.
        body: the ciphertext, in base64 without padding.
        reply_to: the seq of the message that it answers.
    """

    device: str
    session: str
    body: str
    reply_to: int | None = None


class SealedChange(Data, frozen=True, tag="sealed_change"):
    """An encrypted edit of, or reaction to, the message ``ref``."""

    device: str
    session: str
    body: str


class Said(Data, frozen=True, tag="message"):
    """A message."""

    text: str
    reply_to: int | None = None


class Edited(Data, frozen=True, tag="edited"):
    """The text of the message ``ref`` changed."""

    text: str


class Deleted(Data, frozen=True, tag="deleted"):
    """The message ``ref`` was deleted; its seq stays."""


class Reacted(Data, frozen=True, tag="reacted"):
    """``by`` reacted to the message ``ref`` with an emoji."""

    emoji: str


class Unreacted(Data, frozen=True, tag="unreacted"):
    """``by`` removed a reaction."""

    emoji: str


RoomEvent = (
    Said
    | SealedMessage
    | SealedChange
    | RoomEncrypted
    | DevicesChanged
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
