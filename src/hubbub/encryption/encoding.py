"""Base64 without padding, as Olm and Megolm write keys and ciphertexts."""

from __future__ import annotations

import base64

__all__ = ["from_base64", "to_base64"]


def to_base64(data: bytes) -> str:
    """Encode bytes."""
    return base64.b64encode(data).rstrip(b"=").decode()


def from_base64(text: str) -> bytes:
    """
    Decode a text.

    Raises:
        ValueError: it is no base64.
    """
    return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
