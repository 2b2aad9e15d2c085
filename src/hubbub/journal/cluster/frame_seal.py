"""
The seal of frames: a node hears only what a node of the same journal has sent.

Anyone who can publish on the bus, and cannot read the database, could otherwise show false
events to followers. The seal is BLAKE2b with a key (RFC 7693); what a frame says is not hidden.
"""

from __future__ import annotations

from hashlib import blake2b
from hmac import compare_digest

__all__ = ["SEAL_BYTES", "FrameSeal"]

SEAL_BYTES = 16
# It distinguishes this use of the journal's secret from others.
_PERSON = b"hubbub frames"


class FrameSeal:
    """
    Seals and opens frames.

    Args:
        secret: the secret of the journal, which all its nodes have.
    """

    def __init__(self, secret: str) -> None:
        self._key = blake2b(secret.encode(), digest_size=32).digest()

    def close(self, frame: bytes) -> bytes:
        """Return a frame with its seal before it."""
        return self._digest(frame) + frame

    def open(self, data: bytes) -> bytes | None:
        """Return the frame, or None if the seal is not that of this journal."""
        frame = data[SEAL_BYTES:]
        return frame if compare_digest(data[:SEAL_BYTES], self._digest(frame)) else None

    def _digest(self, frame: bytes) -> bytes:
        return blake2b(frame, digest_size=SEAL_BYTES, key=self._key, person=_PERSON).digest()
