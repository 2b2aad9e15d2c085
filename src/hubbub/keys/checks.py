"""The limits of what devices publish and send. Pure: nothing here knows any cryptography."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

from ..errors import Invalid
from ..shown import shown
from .events import SignedDevice, SignedKey

__all__ = [
    "BODY_CHARS_MAX",
    "CALL_CHARS_MAX",
    "CLAIM_DEVICES_MAX",
    "DELIVER_DEVICES_MAX",
    "DEVICES_MAX",
    "ONE_TIME_KEYS_MAX",
    "USERS_MAX",
    "check_backup_entries",
    "check_base64",
    "check_call",
    "check_device_id",
    "check_key_id",
    "check_one_time_keys",
    "check_public_key",
    "check_sealed",
    "check_signed_device",
    "check_signed_key",
    "parse_device_address",
]

# Devices of one user.
DEVICES_MAX = 10
# One-time keys of one device that nobody has claimed.
ONE_TIME_KEYS_MAX = 100
# Users whose devices one call lists.
USERS_MAX = 100
# Devices that one call claims a key of.
CLAIM_DEVICES_MAX = 100
# Devices that one call sends a message to.
DELIVER_DEVICES_MAX = 100
# Characters of all ciphertexts in one call: with the rest of the call, they fit a frame.
CALL_CHARS_MAX = 48 * 1_024
# Characters of one ciphertext.
BODY_CHARS_MAX = 16 * 1_024
# Characters of 32 and 64 bytes in base64 without padding.
KEY_CHARS = 43
SIGNATURE_CHARS = 86
# The largest id of a one-time key: JSON holds it exactly everywhere.
KEY_ID_DIGITS_MAX = 15

_BASE64 = re.compile(r"[A-Za-z0-9+/]*").fullmatch
_DEVICE_ID = re.compile(r"[A-Za-z0-9_-]{1,64}").fullmatch
_ENTRY = re.compile(r"[A-Za-z0-9+/_-]{1,64}").fullmatch
_KEY_ID = re.compile(r"0|[1-9][0-9]{0,14}").fullmatch


def check_device_id(device: object) -> str:
    """
    Return a device's id.

    Raises:
        Invalid: it is not 1 to 64 letters, digits, ``_`` and ``-`` of ASCII.
    """
    if not isinstance(device, str) or not _DEVICE_ID(device):
        raise Invalid(
            f"A device's id has 1 to 64 letters, digits, _ and -, unlike {shown(device)}."
        )
    return device


def check_base64(text: object, what: str, chars_max: int) -> str:
    """
    Return a text that is base64 without padding.

    Raises:
        Invalid: it is not, or it is empty or longer than ``chars_max``.
    """
    good = isinstance(text, str) and 0 < len(text) <= chars_max and len(text) % 4 != 1
    if not good or not _BASE64(str(text)):
        raise Invalid(f"{what} has 1 to {chars_max} characters of base64 without padding.")
    return str(text)


def check_public_key(key: object, what: str) -> str:
    """Return a public key of 32 bytes, or raise Invalid."""
    if len(check_base64(key, what, KEY_CHARS)) != KEY_CHARS:
        raise Invalid(f"{what} has 32 bytes: {KEY_CHARS} characters of base64.")
    return str(key)


def check_signed_key(signed: SignedKey) -> None:
    """Raise Invalid if a key or its signature has the wrong size."""
    check_public_key(signed.key, "A key")
    _check_signature(signed.signature)


def check_signed_device(signed: SignedDevice, user: str, device: str, journal: str) -> None:
    """
    Return if a device's keys say whose they are.

    Raises:
        Invalid: they name another user, device or journal, or something has the wrong size.
    """
    keys = signed.keys
    if (keys.user, keys.device, keys.journal) != (user, device, journal):
        raise Invalid("The signed keys name another user, device or journal; sign them again.")
    check_public_key(keys.ed25519, "A signing key")
    check_public_key(keys.curve25519, "A device's key")
    _check_signature(signed.by_user)
    _check_signature(signed.by_device)


def check_one_time_keys(keys: Mapping[str, SignedKey]) -> None:
    """Raise Invalid if there are too many keys, or an id is no number."""
    if len(keys) > ONE_TIME_KEYS_MAX:
        raise Invalid(f"Publish at most {ONE_TIME_KEYS_MAX} one-time keys.")
    for key_id, signed in keys.items():
        check_key_id(key_id)
        check_signed_key(signed)


def check_key_id(key_id: object) -> str:
    """Return a key's id, or raise Invalid."""
    if not isinstance(key_id, str) or not _KEY_ID(key_id):
        raise Invalid(
            f"A key's id is a number of at most {KEY_ID_DIGITS_MAX} digits, as a string; "
            f"{shown(key_id)} is not."
        )
    return key_id


def check_sealed(kind: object, body: object) -> None:
    """Raise Invalid if it cannot be a message to a device."""
    if kind not in (0, 1) or isinstance(kind, bool):
        raise Invalid(f"A message's kind is 0 or 1, not {shown(kind)}.")
    check_base64(body, "A message to a device", BODY_CHARS_MAX)


def check_call(bodies: Collection[str], most: int, what: str) -> None:
    """Raise Invalid if one call has no ciphertext, or more than a frame carries."""
    if not 1 <= len(bodies) <= most:
        raise Invalid(f"One call has 1 to {most} {what}.")
    if sum(map(len, bodies)) > CALL_CHARS_MAX:
        raise Invalid(f"One call has at most {CALL_CHARS_MAX} characters of ciphertext; split it.")


def check_backup_entries(entries: Mapping[str, str], most: int) -> None:
    """Raise Invalid if entries of a backup have the wrong form, or are too many."""
    check_call(entries.values(), most, "entries")
    for session, sealed in entries.items():
        if not isinstance(session, str) or not _ENTRY(session):
            raise Invalid("An entry of a backup is named by 1 to 64 characters of base64, _ and -.")
        check_base64(sealed, "An entry", BODY_CHARS_MAX)


def parse_device_address(address: object) -> tuple[str, str]:
    """
    Return the user and the device of ``USER/DEVICE``.

    Raises:
        Invalid: it has no such form.
    """
    user, slash, device = address.partition("/") if isinstance(address, str) else ("", "", "")
    if not slash or not user:
        raise Invalid(f"A device is named USER/DEVICE, unlike {shown(address)}.")
    return user, check_device_id(device)


def _check_signature(signature: object) -> None:
    if len(check_base64(signature, "A signature", SIGNATURE_CHARS)) != SIGNATURE_CHARS:
        raise Invalid(f"A signature has 64 bytes: {SIGNATURE_CHARS} characters of base64.")
