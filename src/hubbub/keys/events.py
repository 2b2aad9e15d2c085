"""The events of a user's devices and their keys. The tags are the types on the wire."""

from __future__ import annotations

import msgspec

from ..journal.event import Data

__all__ = [
    "BackedUp",
    "BackupBegun",
    "DeviceAdded",
    "DeviceKeys",
    "DeviceOpened",
    "DeviceRemoved",
    "FallbackKeySet",
    "KeyClaimed",
    "KeysReceived",
    "OneTimeKeysPublished",
    "SealedKey",
    "SignedDevice",
    "SignedKey",
    "UserKeySet",
]


class SignedKey(msgspec.Struct, frozen=True, gc=False):
    """
    A one-time or fallback key, and the signature of the device that made it.

    Args:
        key: a Curve25519 key, in base64 without padding.
        signature: the device's Ed25519 signature, in base64 without padding.
    """

    key: str
    signature: str


class DeviceKeys(msgspec.Struct, frozen=True, gc=False):
    """
    A device's own keys, as they are signed.

    Args:
        user: the user's id.
        device: the device's id.
        journal: the id of the journal that the device belongs to.
        ed25519: the key that the device signs with, in base64 without padding.
        curve25519: the key that others open sessions to, in base64 without padding.
    """

    user: str
    device: str
    journal: str
    ed25519: str
    curve25519: str


class SignedDevice(msgspec.Struct, frozen=True, gc=False):
    """
    A device's keys with the signatures that make others believe them.

    Args:
        keys: what is signed.
        by_user: the signature of the user's key.
        by_device: the signature of the device's own key.
    """

    keys: DeviceKeys
    by_user: str
    by_device: str


class UserKeySet(Data, frozen=True, tag="user_key"):
    """The user's devices are signed with this key from now on; those before it are removed."""

    ed25519: str


class DeviceAdded(Data, frozen=True, tag="device_added"):
    """The user added a device."""

    device: str
    name: str
    signed: SignedDevice


class DeviceRemoved(Data, frozen=True, tag="device_removed"):
    """The user removed a device."""

    device: str


class OneTimeKeysPublished(Data, frozen=True, tag="one_time_keys"):
    """A device published keys that are handed out once each, by their ids."""

    device: str
    keys: dict[str, SignedKey]


class FallbackKeySet(Data, frozen=True, tag="fallback_key"):
    """A device published the key that is handed out while there is no one-time key."""

    device: str
    id: str
    key: SignedKey


class KeyClaimed(Data, frozen=True, tag="claimed"):
    """``by`` claimed a key of a device."""

    device: str
    id: str
    key: SignedKey
    fallback: bool = False


class DeviceOpened(Data, frozen=True, tag="device_opened"):
    """A device opened its store for the ``generation``-th time."""

    device: str
    generation: int


class SealedKey(Data, frozen=True, tag="sealed_key"):
    """
    ``by`` sent a device a message that only the device can read, mostly a room's key.

    Args:
        from_device: the sender's device.
        sender_key: its Curve25519 key.
        kind: 0 if the message begins a session, 1 if not.
        body: the ciphertext, in base64 without padding.
    """

    from_device: str
    sender_key: str
    kind: int
    body: str


class KeysReceived(Data, frozen=True, tag="received"):
    """The device has stored what was sent to it up to a seq."""

    up_to: int


class BackupBegun(Data, frozen=True, tag="backup_begun"):
    """
    A new backup takes the place of the one before.

    Args:
        version: names the backup.
        salt: for the key that a passphrase makes, in base64 without padding; may be empty.
        check: tells a client that it has the right recovery key.
    """

    version: str
    salt: str
    check: str


class BackedUp(Data, frozen=True, tag="backed_up"):
    """Sealed keys of sessions were added to the backup."""

    version: str
    entries: dict[str, str]
