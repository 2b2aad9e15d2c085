"""Whether two tokens are of one sign-in: a client may read what it cannot verify. Pure."""

from __future__ import annotations

from base64 import urlsafe_b64decode

import msgspec

__all__ = ["is_of_same_sign_in", "sign_in_of"]


class _Claims(msgspec.Struct):
    sid: str


_claims = msgspec.json.Decoder(_Claims)


def is_of_same_sign_in(one: str, other: str) -> bool:
    """Tell whether two refresh tokens of a server are of the same sign-in."""
    session = sign_in_of(one)
    return session is not None and session == sign_in_of(other)


def sign_in_of(token: str) -> str | None:
    """Return what names the sign-in of a token; None if the token does not say."""
    parts = token.split(".")
    if len(parts) != 3:
        return None
    try:
        return _claims.decode(urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4))).sid
    except (ValueError, msgspec.MsgspecError, RecursionError):
        # It is the application's, and no JSON Web Token at all, or says nothing of a sign-in.
        return None
