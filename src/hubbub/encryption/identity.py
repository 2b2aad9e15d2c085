"""Signatures: the user's key signs devices, and a device signs its keys. No I/O."""

from __future__ import annotations

from typing import Any

import msgspec
import vodozemac
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ..keys.events import DeviceKeys, SignedDevice, SignedKey
from ..wire.messages import UNREADABLE
from .encoding import from_base64, to_base64

__all__ = ["UserKey", "believed_device", "believed_key", "canonical", "fingerprint_of", "verifies"]

# Characters of a fingerprint's groups.
GROUP_CHARS = 4


class UserKey:
    """
    The key that signs a user's devices. Its private half never leaves the user's stores.

    Args:
        seed: its 32 bytes, which a store or a backup kept; without it, a new seed is drawn.
    """

    __slots__ = ("_private", "public")

    def __init__(self, seed: bytes | None = None) -> None:
        # Keys come from the system's randomness only: a seeded source would be guessed.
        self._private = (
            Ed25519PrivateKey.generate()
            if seed is None
            else Ed25519PrivateKey.from_private_bytes(seed)
        )
        self.public = to_base64(self._private.public_key().public_bytes_raw())

    @property
    def seed(self) -> bytes:
        """The private half, to be sealed and kept."""
        return self._private.private_bytes_raw()

    def sign(self, message: bytes) -> str:
        """Return a signature in base64 without padding."""
        return to_base64(self._private.sign(message))

    def signed_device(self, keys: DeviceKeys, account: vodozemac.Account) -> SignedDevice:
        """Sign a device's keys, with this key and with the device's own."""
        message = canonical(keys)
        return SignedDevice(keys, self.sign(message), account.sign(message).to_base64())


def canonical(value: object) -> bytes:
    """Encode something as JSON that is the same wherever it is made: keys in order, no spaces."""
    return msgspec.json.encode(value, order="deterministic")


def verifies(key: str, message: bytes, signature: str) -> bool:
    """Tell whether an Ed25519 key has signed a message; keys that are no points sign nothing."""
    try:
        public = vodozemac.Ed25519PublicKey.from_base64(key)
        public.verify_signature(message, vodozemac.Ed25519Signature.from_base64(signature))
    except ValueError:
        return False
    return True


def believed_device(
    signed: SignedDevice, user: str, device: str, user_key: str, journal: str
) -> DeviceKeys | None:
    """
    Return a device's keys if they are what they claim to be; else None.

    Args:
        signed: what the server, or a message from the device, says.
        user: the expected user of the device.
        device: its expected id.
        user_key: the key of the user that is believed.
        journal: the journal's id.
    """
    keys, message = signed.keys, canonical(signed.keys)
    if (keys.user, keys.device, keys.journal) != (user, device, journal):
        return None
    if not verifies(user_key, message, signed.by_user):
        return None
    return keys if verifies(keys.ed25519, message, signed.by_device) else None


def believed_key(signed: SignedKey, device: DeviceKeys) -> vodozemac.Curve25519PublicKey | None:
    """Return a device's one-time key if the device has signed it; else None."""
    if not verifies(device.ed25519, one_time_message(signed.key, device.device), signed.signature):
        return None
    try:
        return vodozemac.Curve25519PublicKey.from_base64(signed.key)
    except ValueError:
        return None


def one_time_message(key: str, device: str) -> bytes:
    """Return what a device signs to show that a one-time key is its own."""
    return canonical({"one_time_key": key, "device": device})


def fingerprint_of(user_key: str) -> str:
    """Return a user key as people compare it: in groups of four characters."""
    text = from_base64(user_key).hex()
    return " ".join(text[at : at + GROUP_CHARS] for at in range(0, len(text), GROUP_CHARS))


def decoded(kind: type[Any], body: bytes) -> Any:
    """Decode what another device has sent; None if it has no such form."""
    try:
        return msgspec.json.decode(body, type=kind)
    except UNREADABLE:
        return None
