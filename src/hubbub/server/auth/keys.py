"""
Keys that verify an application's tokens: a JSON Web Key Set, RFC 7517. Pure.

Each key verifies by the algorithms of its own kind and no others, whatever a token says of
itself: a public key is never taken for a secret.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jwt
import msgspec
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from ...errors import Invalid
from .tokens import PARSING_ERRORS

__all__ = ["KEYS_BYTES_MAX", "KEY_BITS_MIN", "KEY_BYTES_MIN", "read_keys"]

# The largest set of keys that is read, in bytes.
KEYS_BYTES_MAX = 1 << 20
# The shortest secret key, in bytes: RFC 7518, section 3.2.
KEY_BYTES_MIN = 32
# The shortest RSA key, in bits: RFC 7518, section 3.3.
KEY_BITS_MIN = 2048

OCTETS = "oct"
# The kind of a key and its curve -> the algorithms that it verifies by.
ALGORITHMS: dict[Any, tuple[str, ...]] = {
    ("oct", None): ("HS256",),
    ("RSA", None): ("RS256", "PS256"),
    ("EC", "P-256"): ("ES256",),
    ("OKP", "Ed25519"): ("EdDSA",),
}
PARSE_ERRORS = (LookupError, AttributeError, *PARSING_ERRORS)

_key_set = msgspec.json.Decoder(dict[str, Any])


def read_keys(content: bytes, *, secrets: bool) -> Sequence[jwt.PyJWK]:
    """
    Read a set of keys; keys of other kinds, or for other uses, are ignored.

    Args:
        content: the set, as JSON.
        secrets: whether keys of the kind ``oct`` count.

    Returns:
        Each key, once for each algorithm that it verifies by.

    Raises:
        Invalid: the content is no key set, or no key of it can be used.
    """
    if len(content) > KEYS_BYTES_MAX:
        raise Invalid(f"It is larger than {KEYS_BYTES_MAX} bytes.")
    try:
        found = _key_set.decode(content)["keys"]
        keys = [key for one in found for key in _keys_of(one, secrets=secrets)]
    except PARSE_ERRORS:
        # The error is not repeated: it may hold a part of a key.
        raise Invalid("It is no JSON Web Key Set: an object with a list called `keys`.") from None
    if not keys:
        kinds = "oct (32 bytes or more), " if secrets else ""
        raise Invalid(
            f"It has no key that can be used; give {kinds}RSA ({KEY_BITS_MIN} bits or more), "
            "EC (P-256) or OKP (Ed25519)."
        )
    return keys


def _keys_of(data: Any, *, secrets: bool) -> Sequence[jwt.PyJWK]:
    if not isinstance(data, dict) or not _verifies(data):
        return ()
    kind, curve, algorithm = (data.get(name) for name in ("kty", "crv", "alg"))
    if kind == OCTETS and not secrets:
        return ()
    try:
        fitting = ALGORITHMS.get((kind, curve), ())
        named = [one for one in fitting if algorithm in (None, one)]
        keys = [jwt.PyJWK(data, one) for one in named]
    except PARSE_ERRORS:
        return ()
    return [key for key in keys if _is_strong(key)]


def _verifies(data: dict[str, Any]) -> bool:
    operations = data.get("key_ops")
    return data.get("use") in (None, "sig") and (
        operations is None or (isinstance(operations, list) and "verify" in operations)
    )


def _is_strong(key: jwt.PyJWK) -> bool:
    if key.key_type == OCTETS:
        return len(key.key) >= KEY_BYTES_MIN
    return not isinstance(key.key, RSAPublicKey) or key.key.key_size >= KEY_BITS_MIN
