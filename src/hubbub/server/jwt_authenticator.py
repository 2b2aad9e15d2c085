"""Users of the application's own: JSON Web Tokens that it signs, with keys that may change."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jwt
import msgspec
from anyio import to_thread
from jwt.types import Options

from ..clock import Clock, SystemClock
from ..errors import Invalid
from .auth import UNREADABLE, Identity, identity_of

__all__ = ["JwtAuthenticator"]

logger = logging.getLogger("hubbub.server")

# What signs with a public key never fits a secret one, whatever the token says of itself.
ALGORITHM_OF = {"oct": "HS256", "RSA": "RS256", "OKP": "EdDSA"}

_key_set = msgspec.json.Decoder(dict[str, Any])


class JwtAuthenticator:
    """
    Reads tokens by the keys in a file, which may be replaced while the server runs.

    Args:
        keys: the path of a JSON Web Key Set (RFC 7517), with keys of the kinds ``oct``
            (HS256), ``RSA`` (RS256) and ``OKP`` (EdDSA). It is read again when it has changed;
            while it cannot be read the keys before are used.
        audience: what the claim ``aud`` must be, if anything.
        issuer: what the claim ``iss`` must be, if anything.
        roles: a role in the application's words -> one of ours; others are ``user``.
        clock: what the token's times are compared with.
    """

    def __init__(
        self,
        keys: str | os.PathLike[str],
        *,
        audience: str | None = None,
        issuer: str | None = None,
        roles: Mapping[str, str] | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._path = Path(keys)
        self._audience = audience
        self._issuer = issuer
        self._roles = roles or {"moderator": "moderator", "admin": "admin"}
        self._clock = clock or SystemClock()
        self._read_at: tuple[int, int] | None = None
        self._keys: Sequence[jwt.PyJWK] = ()

    async def __call__(self, token: str) -> Identity | None:
        """Return whom a token names, or None if it is not good."""
        # In a thread: a file is looked at, and RSA takes its time.
        return await to_thread.run_sync(self._identify, token)

    def read_keys(self) -> None:
        """
        Read the keys if their file is another than before; for a thread, or before a loop runs.

        Raises:
            Invalid: there is no such file, or there are no keys in it.
        """
        try:
            about = self._path.stat()
        except OSError as error:
            raise Invalid(f"{self._path} is no JSON Web Key Set: {error}.") from error
        seen = (about.st_mtime_ns, about.st_ino)
        if seen == self._read_at:
            return
        try:
            self._keys = self._keys_in_file()
        finally:
            # Only now: other threads would go on with the keys before, or with none.
            self._read_at = seen

    def _identify(self, token: str) -> Identity | None:
        try:
            self.read_keys()
        except Invalid as error:
            # To write a file may take a moment; who has a good token is not to suffer from it.
            logger.error("the keys before are used: %s", error.message)
        try:
            wanted = jwt.get_unverified_header(token).get("kid")
        except (jwt.InvalidTokenError, *UNREADABLE):
            return None
        for key in self._keys:
            if wanted is None or key.key_id == wanted:
                claims = self._claims(token, key)
                if claims is not None:
                    return self._identity(token, claims)
        return None

    def _keys_in_file(self) -> Sequence[jwt.PyJWK]:
        try:
            found = jwt.PyJWKSet.from_dict(_key_set.decode(self._path.read_bytes())).keys
        except (OSError, UnicodeDecodeError, msgspec.MsgspecError, jwt.PyJWTError) as error:
            raise Invalid(f"{self._path} is no JSON Web Key Set: {error}.") from error
        keys = [key for key in found if key.key_type in ALGORITHM_OF]
        if not keys:
            raise Invalid(f"{self._path} has no key of the kinds {', '.join(ALGORITHM_OF)}.")
        return keys

    def _claims(self, token: str, key: jwt.PyJWK) -> dict[str, Any] | None:
        required = ["sub", "exp", *(["aud"] if self._audience else [])]
        options: Options = {
            "verify_exp": False,
            "verify_iat": False,
            "verify_nbf": False,
            "verify_aud": self._audience is not None,
            "require": required,
        }
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=[ALGORITHM_OF[str(key.key_type)]],
                audience=self._audience,
                issuer=self._issuer,
                options=options,
            )
        except (jwt.InvalidTokenError, *UNREADABLE):
            return None
        return claims

    def _identity(self, token: str, claims: dict[str, Any]) -> Identity | None:
        now = self._clock.now().timestamp()
        try:
            # Of its own claims none makes it one of our tokens that get others.
            role = self._roles.get(str(claims.get("role")), "user")
            identity = identity_of(token, {**claims, "use": "access"}, role)
            starts = msgspec.convert(claims.get("nbf", 0.0), float)
        except msgspec.ValidationError:
            return None
        return identity if starts <= now < identity.expires else None
