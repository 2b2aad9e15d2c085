"""The results of the methods of keys."""

from __future__ import annotations

import msgspec

from .events import SignedDevice, SignedKey
from .state import DeviceState, KeysState

__all__ = ["Device", "OneTimeKey", "SealedBody", "UserKeys", "device_of", "user_keys_of"]


class Device(msgspec.Struct, frozen=True):
    """
    One of your devices.

    Args:
        id: the device's id.
        name: what you call it.
        signed: its signed keys.
        one_time_keys: how many one-time keys nobody has claimed yet.
        fallback: True if the device has a fallback key.
        generation: how often the device has opened its store.
    """

    id: str
    name: str
    signed: SignedDevice
    one_time_keys: int
    fallback: bool
    generation: int


class UserKeys(msgspec.Struct, frozen=True):
    """
    A user's devices, as others see them.

    Args:
        user_key: the Ed25519 key that signs the devices, in base64 without padding.
        devices: a device's id -> its signed keys, the oldest first.
    """

    user_key: str
    devices: dict[str, SignedDevice]


class OneTimeKey(msgspec.Struct, frozen=True):
    """
    A key that was handed out to you alone, or a fallback key.

    Args:
        id: the key's id.
        key: the key, and the signature of the device that made it.
        fallback: True if others may have got the same key.
    """

    id: str
    key: SignedKey
    fallback: bool


class SealedBody(msgspec.Struct, frozen=True, gc=False):
    """
    A message to one device, which only that device can read.

    Args:
        kind: 0 if it begins a session, 1 if not.
        body: the ciphertext, in base64 without padding.
    """

    kind: int
    body: str


def device_of(device: str, state: DeviceState) -> Device:
    """Show a device to its user."""
    return Device(
        device,
        state.name,
        state.signed,
        len(state.one_time),
        state.fallback is not None,
        state.generation,
    )


def user_keys_of(state: KeysState) -> UserKeys:
    """Show a user's devices to others."""
    return UserKeys(state.user_key, {device: one.signed for device, one in state.devices.items()})
