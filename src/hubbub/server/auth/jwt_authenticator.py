"""Users of the application's own: JSON Web Tokens that it signs, with keys that may change."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import anyio
import jwt
import msgspec
from anyio import to_thread
from jwt.types import Options

from ...clock import Clock, SystemClock
from ...errors import Invalid
from .tokens import PARSING_ERRORS, TOKEN_CHARS_MAX, Identity, identity_of, read_claims

__all__ = ["KEYS_BYTES_MAX", "KEY_BYTES_MIN", "JwtAuthenticator"]

logger = logging.getLogger("hubbub.server")

# Claims of our own tokens.
OURS = {"use", "gen", "app", "named"}
# What signs with a public key never fits a secret one, whatever the token says of itself.
ALGORITHM_OF = {"oct": "HS256", "RSA": "RS256", "OKP": "EdDSA"}

# The largest file of keys that is read, in bytes.
KEYS_BYTES_MAX = 1 << 20
# The shortest secret key, in bytes: RFC 7518, section 3.2.
KEY_BYTES_MIN = 32
# Tokens that are looked at at one time, each in a thread that nothing else takes.
THREADS_MAX = 4

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
        self._threads: anyio.CapacityLimiter | None = None

    async def __call__(self, token: str) -> Identity | None:
        """Return whom a token names, or None if it is not good."""
        if self._threads is None:
            self._threads = anyio.CapacityLimiter(THREADS_MAX)
        # In a thread: a file is looked at, and RSA takes its time.
        return await to_thread.run_sync(self._identify, token, limiter=self._threads)

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
        if len(token) > TOKEN_CHARS_MAX:
            return None
        try:
            self.read_keys()
        except Invalid as error:
            # To write a file may take a moment; who has a good token is not to suffer from it.
            logger.error("the keys before are used: %s", error.message)
        try:
            wanted = jwt.get_unverified_header(token).get("kid")
        except PARSING_ERRORS:
            return None
        for key in self._keys:
            if wanted is None or key.key_id == wanted:
                claims = self._claims(token, key)
                if claims is not None:
                    return self._identity(token, claims)
        return None

    def _keys_in_file(self) -> Sequence[jwt.PyJWK]:
        try:
            with self._path.open("rb") as file:
                content = file.read(KEYS_BYTES_MAX + 1)
            if len(content) > KEYS_BYTES_MAX:
                raise Invalid(f"{self._path} is larger than {KEYS_BYTES_MAX} bytes.")
            found = jwt.PyJWKSet.from_dict(_key_set.decode(content)).keys
        except (OSError, LookupError, AttributeError, *PARSING_ERRORS) as error:
            raise Invalid(f"{self._path} is no JSON Web Key Set: {error}.") from error
        keys = [key for key in found if key.key_type in ALGORITHM_OF and _is_strong(key)]
        if not keys:
            kinds = ", ".join(ALGORITHM_OF)
            raise Invalid(
                f"{self._path} has no key of the kinds {kinds}; one of the kind oct has at "
                f"least {KEY_BYTES_MIN} bytes."
            )
        return keys

    def _claims(self, token: str, key: jwt.PyJWK) -> dict[str, object] | None:
        required = ["sub", "exp", *(["aud"] if self._audience else [])]
        options: Options = {
            "verify_exp": False,
            "verify_iat": False,
            "verify_nbf": False,
            "verify_aud": self._audience is not None,
            "require": required,
        }
        algorithms = [ALGORITHM_OF[str(key.key_type)]]
        return read_claims(
            token, key, algorithms, options, audience=self._audience, issuer=self._issuer
        )

    def _identity(self, token: str, claims: dict[str, object]) -> Identity | None:
        now = self._clock.now().timestamp()
        role = self._roles.get(str(claims.get("role")), "user")
        # Of its own claims none makes it one of our tokens that get others.
        theirs = {name: claim for name, claim in claims.items() if name not in OURS}
        identity = identity_of(token, theirs, role)
        try:
            starts = msgspec.convert(claims.get("nbf", 0.0), float)
        except PARSING_ERRORS:
            return None
        good = identity is not None and starts <= now < identity.expires
        return identity if good else None


def _is_strong(key: jwt.PyJWK) -> bool:
    return key.key_type != "oct" or len(key.key) >= KEY_BYTES_MIN
