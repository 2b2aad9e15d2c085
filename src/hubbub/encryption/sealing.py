"""Stored values are sealed: AES-256-GCM, under a key that a passphrase opens. No I/O."""

from __future__ import annotations

import secrets
from typing import Self

import msgspec
from argon2.low_level import Type, hash_secret_raw
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ..errors import Invalid

__all__ = ["KEY_BYTES", "Passphrase", "Sealer"]

KEY_BYTES = 32
# The nonce of AES-GCM; RFC 5116.
NONCE_BYTES = 12
SALT_BYTES = 16


class Passphrase(msgspec.Struct, frozen=True):
    """
    How a passphrase becomes a key: argon2id (RFC 9106), with parameters that are kept.

    Args:
        salt: 16 bytes.
        memory: in KiB.
        iterations: passes over the memory.
        lanes: how many parts of it are filled side by side.
    """

    salt: bytes
    memory: int = 64 * 1_024
    iterations: int = 3
    lanes: int = 4

    @classmethod
    def new(cls) -> Self:
        """Return the parameters of a new passphrase."""
        return cls(secrets.token_bytes(SALT_BYTES))

    def key(self, passphrase: str) -> bytes:
        """Return the key; it takes some tenths of a second, so call it in a worker thread."""
        return hash_secret_raw(
            passphrase.encode(),
            self.salt,
            time_cost=self.iterations,
            memory_cost=self.memory,
            parallelism=self.lanes,
            hash_len=KEY_BYTES,
            type=Type.ID,
        )


class Sealer:
    """
    Seals values under one key, each bound to where it is kept.

    Args:
        key: 32 bytes.
    """

    __slots__ = ("_aead",)

    def __init__(self, key: bytes) -> None:
        self._aead = AESGCM(key)

    def seal(self, place: str, value: bytes) -> bytes:
        """Seal a value with a fresh nonce; only at this place it is opened again."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        return nonce + self._aead.encrypt(nonce, value, place.encode())

    def open(self, place: str, sealed: bytes) -> bytes:
        """
        Open a value.

        Raises:
            Invalid: it was sealed under another key or for another place, or was altered.
        """
        try:
            nonce, body = sealed[:NONCE_BYTES], sealed[NONCE_BYTES:]
            return self._aead.decrypt(nonce, body, place.encode())
        except (InvalidTag, ValueError) as error:
            raise Invalid("A stored value cannot be opened: it was altered.") from error
