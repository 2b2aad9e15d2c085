"""Whether two tokens belong to one sign-in: a client can read what it cannot verify. Pure."""

from __future__ import annotations

from base64 import urlsafe_b64decode

import msgspec

__all__ = ["is_of_same_sign_in", "sign_in_of"]


class _Claims(msgspec.Struct):
    sid: str


_claims = msgspec.json.Decoder(_Claims)


def is_of_same_sign_in(one: str, other: str) -> bool:
    """Return whether two refresh tokens of a server belong to the same sign-in."""
    session = sign_in_of(one)
    return session is not None and session == sign_in_of(other)


def sign_in_of(token: str) -> str | None:
    """Return the id of a token's sign-in; None if the token has none."""
    parts = token.split(".")
    if len(parts) != 3:
        return None
    try:
        return _claims.decode(urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4))).sid
    except (ValueError, msgspec.MsgspecError, RecursionError):
        # It is the application's: not a JSON Web Token, or without a sign-in.
        return None
