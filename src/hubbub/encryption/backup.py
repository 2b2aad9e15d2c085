"""
The backup: keys of messages, sealed under a recovery key that the server never sees.

Each entry is bound to the user, the journal, the backup's version and its session, so that the
server cannot write one, move one, or put one of another user in its place. It can hold entries
back, or show an old backup: nothing here prevents that.
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Iterator, Mapping

import msgspec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from ..errors import Invalid
from .encoding import from_base64, to_base64
from .megolm import Inbound
from .olm import DeviceAddress
from .sealing import KEY_BYTES, Sealer

__all__ = [
    "USER_KEY",
    "BackupSealer",
    "RecoveryKey",
    "calls_of",
    "new_salt",
    "new_version",
]

# The name of the entry that has the user's signing key.
USER_KEY = "user_key"
CHECKED = b"hubbub backup"
GROUP_CHARS = 4


class BackedUpSession(msgspec.Struct, frozen=True):
    """
    A session in the backup.

    Args:
        key: what reads it, from the first index that the device could read.
        user: whose messages it reads.
        device: of which device.
        room: in which room's stream.
        signer: the user key that had signed the device.
    """

    key: str
    user: str
    device: str
    room: str
    signer: str


class RecoveryKey:
    """
    32 random bytes, which a user writes down as 52 characters.

    Args:
        text: as it was written down, in any case, with or without spaces; a new one without.

    Raises:
        Invalid: it is no recovery key.
    """

    __slots__ = ("_key",)

    def __init__(self, text: str | None = None) -> None:
        # From the system's randomness only: a seeded source would be guessed.
        self._key = secrets.token_bytes(KEY_BYTES) if text is None else _parsed(text)

    def __str__(self) -> str:
        text = base64.b32encode(self._key).rstrip(b"=").decode().lower()
        return " ".join(text[at : at + GROUP_CHARS] for at in range(0, len(text), GROUP_CHARS))

    def __repr__(self) -> str:
        return "RecoveryKey(…)"

    def key(self, user: str, journal: str, version: str, salt: bytes) -> bytes:
        """Return the key of one backup, from which the recovery key cannot be had."""
        info = msgspec.json.encode([user, journal, version])
        return HKDF(SHA256(), KEY_BYTES, salt, info).derive(self._key)

    def sealer(self, user: str, journal: str, version: str, salt: bytes) -> BackupSealer:
        """Return what seals and opens the entries of one backup."""
        return BackupSealer(self.key(user, journal, version, salt), version)


class BackupSealer:
    """
    Seals the entries of one backup.

    Args:
        key: 32 bytes, made for this user, journal and version.
        version: names the backup.
    """

    __slots__ = ("_sealer", "version")

    def __init__(self, key: bytes, version: str) -> None:
        self._sealer = Sealer(key)
        self.version = version

    def check(self) -> str:
        """Return what tells that a recovery key is the right one."""
        return to_base64(self._sealer.seal("check", CHECKED))

    def opens(self, check: str) -> bool:
        """Tell whether a check was made with this key."""
        try:
            return self._sealer.open("check", from_base64(check)) == CHECKED
        except (Invalid, ValueError):
            return False

    def user_key(self, seed: bytes) -> str:
        """Seal the user's signing key."""
        return to_base64(self._sealer.seal(USER_KEY, seed))

    def opened_user_key(self, sealed: str) -> bytes:
        """Open the user's signing key, or raise Invalid."""
        return self._open(USER_KEY, sealed)

    def session(self, name: str, inbound: Inbound) -> str:
        """Seal a session from its first index on."""
        kept = BackedUpSession(inbound.exported(), *inbound.owner, inbound.room, inbound.signer)
        return to_base64(self._sealer.seal(name, msgspec.json.encode(kept)))

    def opened_session(self, name: str, sealed: str) -> Inbound:
        """
        Open a session.

        Raises:
            Invalid: another key has sealed it, or it was altered or moved.
        """
        try:
            kept = msgspec.json.decode(self._open(name, sealed), type=BackedUpSession)
            owner: DeviceAddress = (kept.user, kept.device)
            inbound = Inbound.of_key(kept.key, owner, kept.room, kept.signer, exported=True)
        except (ValueError, RecursionError) as error:
            raise Invalid("An entry of the backup cannot be read.") from error
        if inbound.name != name:
            raise Invalid("An entry of the backup has another session's key.")
        return inbound

    def _open(self, place: str, sealed: str) -> bytes:
        try:
            return self._sealer.open(place, from_base64(sealed))
        except ValueError as error:
            raise Invalid("An entry of the backup cannot be read.") from error


def new_version() -> str:
    """Return a name for a new backup."""
    return secrets.token_hex(16)


def new_salt() -> bytes:
    """Return a salt for a new backup."""
    return secrets.token_bytes(16)


def calls_of(
    entries: Mapping[str, str], count_max: int = 100, chars_max: int = 40_000
) -> Iterator[dict[str, str]]:
    """Split entries into calls that fit a frame."""
    part: dict[str, str] = {}
    room = chars_max
    for session, sealed in entries.items():
        if part and (len(part) == count_max or room < len(sealed)):
            yield part
            part, room = {}, chars_max
        part[session] = sealed
        room -= len(sealed)
    if part:
        yield part


def _parsed(text: str) -> bytes:
    plain = "".join(text.split()).replace("-", "").upper()
    try:
        key = base64.b32decode(plain + "=" * (-len(plain) % 8))
    except ValueError as error:
        raise Invalid("A recovery key has 52 letters and digits.") from error
    if len(key) != KEY_BYTES:
        raise Invalid("A recovery key has 52 letters and digits.")
    return key
