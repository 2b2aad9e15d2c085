"""The plaintexts inside the ciphertexts. Their tags never change: other versions read them."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from ..chat.events import Edited, Reacted, Said, Unreacted
from ..journal.event import Data
from ..keys.events import SignedDevice

__all__ = [
    "AskAgain",
    "Content",
    "DevicePayload",
    "RoomContent",
    "RoomKey",
    "RoomPayload",
    "Unreadable",
    "VerifyAccept",
    "VerifyCancel",
    "VerifyKey",
    "VerifyMac",
    "VerifyStart",
]

# The data of an encrypted message in a room.
RoomContent = Said | Edited | Reacted | Unreacted


class RoomPayload(msgspec.Struct, frozen=True):
    """
    The plaintext of a message in a room.

    Args:
        room: the room's stream, so that it cannot be moved to another room.
        journal: the journal's id, so that it cannot be moved to another server.
        data: the message.
        ref: the seq of the message that is changed, so that it cannot be moved to another one.
    """

    room: str
    journal: str
    data: RoomContent
    ref: int | None = None


class RoomKey(msgspec.Struct, frozen=True, tag="room_key"):
    """The key of a Megolm session, which reads the session from an index on."""

    room: str
    key: str
    exported: bool = False


class AskAgain(msgspec.Struct, frozen=True, tag="again"):
    """The sender could not read a message, has begun a new session, and needs its keys again."""


class VerifyStart(msgspec.Struct, frozen=True, tag="verify_start"):
    """A user wants to compare numbers, as in Matrix' SAS verification."""

    transaction: str


class VerifyAccept(msgspec.Struct, frozen=True, tag="verify_accept"):
    """The other one agrees, and commits to a key: its SHA-256."""

    transaction: str
    commitment: str


class VerifyKey(msgspec.Struct, frozen=True, tag="verify_key"):
    """A fresh Curve25519 key for this verification."""

    transaction: str
    key: str


class VerifyMac(msgspec.Struct, frozen=True, tag="verify_mac"):
    """The numbers match: here is the user key, authenticated by what both have agreed on."""

    transaction: str
    mac: str


class VerifyCancel(msgspec.Struct, frozen=True, tag="verify_cancel"):
    """The numbers do not match, or it took too long."""

    transaction: str
    why: str


Content = RoomKey | AskAgain | VerifyStart | VerifyAccept | VerifyKey | VerifyMac | VerifyCancel


class DevicePayload(msgspec.Struct, frozen=True):
    """
    The plaintext of a message to a device.

    The signed keys of the sender are inside, so that nobody passes it on as theirs, and so that
    it is believed even if the device is gone by the time it is read (as in MSC4147).

    Args:
        sender: the sending device's signed keys.
        user: the user that it is for.
        device: the device that it is for.
        device_key: that device's Ed25519 key.
        journal: the journal's id.
        content: the message.
    """

    sender: SignedDevice
    user: str
    device: str
    device_key: str
    journal: str
    content: Content


class Unreadable(Data, frozen=True, tag="unreadable"):
    """
    An encrypted message that this device cannot read.

    Args:
        reason: ``no_key``: no device has handed over the key, so far; ``replayed``: it was sent
            before; ``altered``: it is not what the sender encrypted; ``readdressed``: it was
            encrypted for another room; ``forged``: another user or device encrypted it;
            ``unsigned_device``: the user's key, as you know it, has not signed the device.
    """

    reason: str

    NO_KEY: ClassVar[str] = "no_key"
