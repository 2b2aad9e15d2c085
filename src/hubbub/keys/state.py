"""The folds of a user's keys, of a device's inbox and of a backup. Pure."""

from __future__ import annotations

from typing import Any, ClassVar

import msgspec

from ..errors import NotFound
from ..journal.event import Data, Event, State
from ..journal.link import Linked, Unlinked
from ..permissions import check
from ..rosters import DeviceLinks
from . import events as e
from .grants import KEYS_READERS

__all__ = [
    "BackupState",
    "DeviceState",
    "InboxState",
    "KeysState",
    "backup_stream",
    "device_stream",
]


class DeviceState(msgspec.Struct):
    """
    One device of a user.

    Args:
        name: what the user calls it.
        signed: its keys.
        one_time: the one-time keys that nobody has claimed, the oldest first.
        published: the highest id of a one-time key that was ever published.
        fallback_id: the id of the fallback key; empty if there is none.
        fallback: the fallback key.
        generation: how often the device has opened its store.
    """

    name: str
    signed: e.SignedDevice
    one_time: dict[str, e.SignedKey] = {}
    published: int = -1
    fallback_id: str = ""
    fallback: e.SignedKey | None = None
    generation: int = 0

    def apply(self, data: Data) -> None:
        """Take in what happened to the device."""
        match data:
            case e.OneTimeKeysPublished(_, keys):
                self.one_time |= keys
                self.published = max(self.published, *map(int, keys))
            case e.FallbackKeySet(_, key_id, key):
                self.fallback_id, self.fallback = key_id, key
            case e.KeyClaimed(_, key_id, fallback=fallback):
                if not fallback:
                    self.one_time.pop(key_id, None)
            case e.DeviceOpened(_, generation):
                self.generation = generation
            case unknown:
                raise AssertionError(f"not a device's event: {unknown!r}")


class KeysState(DeviceLinks):
    """
    The fold of a ``keys/USER`` stream; its links are the encrypted rooms that the user is in.

    Args:
        user_key: signs the user's devices; empty before the first device.
        devices: by their ids, the oldest first.
    """

    data_type: ClassVar[Any] = (
        Linked
        | Unlinked
        | e.UserKeySet
        | e.DeviceAdded
        | e.DeviceRemoved
        | e.OneTimeKeysPublished
        | e.FallbackKeySet
        | e.KeyClaimed
        | e.DeviceOpened
    )

    user_key: str = ""
    devices: dict[str, DeviceState] = {}

    def apply(self, event: Event) -> None:
        """Take one event in."""
        match event.data:
            case e.UserKeySet(key):
                self.user_key, self.devices = key, {}
            case e.DeviceAdded(device, name, signed):
                self.devices[device] = DeviceState(name, signed)
            case e.DeviceRemoved(device):
                self.devices.pop(device, None)
            case Linked() | Unlinked():
                super().apply(event)
            case (
                e.OneTimeKeysPublished() | e.FallbackKeySet() | e.KeyClaimed() | e.DeviceOpened()
            ) as data:
                # An event of a removed device changes nothing.
                if (found := self.devices.get(data.device)) is not None:
                    found.apply(data)
            case unknown:
                raise AssertionError(f"not an event of keys: {unknown!r}")

    def has_device(self, device: str) -> bool:
        """Tell whether the user has a device of this id."""
        return device in self.devices

    def device(self, device: str) -> DeviceState:
        """
        Return one of the user's devices.

        Raises:
            NotFound: the user has no such device.
        """
        found = self.devices.get(device)
        if found is None:
            raise NotFound(f"You have no device {device!r}; add it first.")
        return found

    def check_reader(self, stream: str, user: str) -> None:
        """Only the user reads it."""
        _check_owner(stream, user, "keys")


class InboxState(State):
    """
    The fold of a ``device/USER/DEVICE`` stream: what was sent to one device.

    Args:
        up_to: the seq up to which the device has stored what was sent.
    """

    data_type: ClassVar[Any] = e.SealedKey | e.KeysReceived

    up_to: int = 0

    def apply(self, event: Event) -> None:
        """Take one event in."""
        match event.data:
            case e.KeysReceived(up_to):
                self.up_to = up_to
            case e.SealedKey():
                pass
            case unknown:
                raise AssertionError(f"not an inbox's event: {unknown!r}")

    def check_reader(self, stream: str, user: str) -> None:
        """Only the device's user reads it."""
        _check_owner(stream, user, "device")


class BackupState(State):
    """
    The fold of a ``backup/USER`` stream.

    Args:
        stands: the version of the backup that stands; empty if there is none.
        entries: how many entries it has.
    """

    data_type: ClassVar[Any] = e.BackupBegun | e.BackedUp

    stands: str = ""
    entries: int = 0

    def apply(self, event: Event) -> None:
        """Take one event in."""
        match event.data:
            case e.BackupBegun(version):
                self.stands, self.entries = version, 0
            case e.BackedUp(_, entries):
                self.entries += len(entries)
            case unknown:
                raise AssertionError(f"not a backup's event: {unknown!r}")

    def check_reader(self, stream: str, user: str) -> None:
        """Only the user reads it."""
        _check_owner(stream, user, "backup")


def device_stream(user_id: str, device: str) -> str:
    """Return the name of the stream that a device's messages arrive in."""
    return f"device/{user_id}/{device}"


def backup_stream(user_id: str) -> str:
    """Return the name of the stream that a user's backup is in."""
    return f"backup/{user_id}"


def _check_owner(stream: str, user: str, kind: str) -> None:
    owner = stream.split("/")[1]
    check(KEYS_READERS[kind], *(("owner",) if owner == user else ()))
