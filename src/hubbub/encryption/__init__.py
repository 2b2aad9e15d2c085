"""
Encryption from end to end: the server keeps and relays ciphertext only.

Olm hands over the keys of Megolm, which encrypts the messages; both are vodozemac's. Nothing
here makes a primitive or a ratchet of its own.
"""

from __future__ import annotations

from ..extras import needs

with needs("e2e", "hubbub.encryption"):
    from .chat import UnreadableMessage
    from .payloads import Unreadable
    from .rooms import Rotation
    from .session import EncryptedSession, encrypted

__all__ = ["EncryptedSession", "Rotation", "Unreadable", "UnreadableMessage", "encrypted"]
