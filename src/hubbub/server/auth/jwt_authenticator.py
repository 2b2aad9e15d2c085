"""Users of the application's own: JSON Web Tokens that it signs, with keys that may change."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
import jwt
import msgspec
from anyio import to_thread
from jwt.types import Options

from ...clock import Clock, SystemClock
from .key_file import KeyFile
from .tokens import PARSING_ERRORS, TOKEN_CHARS_MAX, Identity, identity_of, read_claims

if TYPE_CHECKING:
    from .key_url import KeyUrl

__all__ = ["JwtAuthenticator"]

# Claims of the server's own tokens.
OURS = {"use", "gen", "app", "named"}
# Tokens that are verified at one time, each in a thread reserved for that.
THREADS_MAX = 4


class JwtAuthenticator:
    """
    Reads tokens by the keys in a file or at a URL, which may change while the server runs.

    It verifies RS256 and PS256 with ``RSA`` keys, ES256 with ``EC`` keys, EdDSA with ``OKP``
    keys, and HS256 with ``oct`` keys from a file.

    Args:
        keys: the path or the URL of a JSON Web Key Set (RFC 7517). The server reads a file
            again when it has changed. It fetches a URL, which must be ``https``, when its
            ``Cache-Control`` says so, and when a token names a key that is not known. While that
            fails it keeps using the keys from before.
        audience: what the claim ``aud`` must be, if anything.
        issuer: what the claim ``iss`` must be, if anything.
        roles: a role in the application's words -> one of Hubbub's; others are ``user``.
        clock: what the token's times are compared with, and what the age of keys is measured by.

    Raises:
        Invalid: the URL is not safe.
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
        self._clock = clock or SystemClock()
        self._source = _source(keys, self._clock)
        self._audience = audience
        self._issuer = issuer
        self._roles = roles or {"moderator": "moderator", "admin": "admin"}
        self._threads: anyio.CapacityLimiter | None = None

    async def __call__(self, token: str) -> Identity | None:
        """Return the user that a token names, or None if the token is not valid."""
        if self._threads is None:
            self._threads = anyio.CapacityLimiter(THREADS_MAX)
        key_id = _key_id(token)
        if key_id is msgspec.UNSET:
            return None
        await self._source.prepare(key_id)
        # In a thread: it looks at a file, and RSA takes its time.
        return await to_thread.run_sync(self._identify, token, limiter=self._threads)

    async def keep_fresh(self) -> None:
        """Keep keys from a URL fresh until cancelled; the gateway runs it in a task of the hub."""
        if not isinstance(self._source, KeyFile):
            await self._source.keep_fresh()

    def read_keys(self) -> None:
        """
        Read a file of keys now, before the event loop runs; keys at a URL are fetched later.

        Raises:
            Invalid: the file cannot be read, or has no key that can be used.
        """
        if isinstance(self._source, KeyFile):
            self._source.read()

    def _identify(self, token: str) -> Identity | None:
        wanted = _key_id(token)
        for key in self._source.current():
            if wanted is None or key.key_id == wanted:
                claims = self._claims(token, key)
                if claims is not None:
                    return self._identity(token, claims)
        return None

    def _claims(self, token: str, key: jwt.PyJWK) -> dict[str, object] | None:
        required = ["sub", "exp", *(["aud"] if self._audience else [])]
        options: Options = {
            "verify_exp": False,
            "verify_iat": False,
            "verify_nbf": False,
            "verify_aud": self._audience is not None,
            "require": required,
        }
        # The algorithm is the key's, whatever the token names: a public key is no secret key.
        algorithms = [str(key.algorithm_name)]
        return read_claims(
            token, key, algorithms, options, audience=self._audience, issuer=self._issuer
        )

    def _identity(self, token: str, claims: dict[str, object]) -> Identity | None:
        now = self._clock.now().timestamp()
        role = self._roles.get(str(claims.get("role")), "user")
        # No claim of an application's token makes it a refresh token of the server's.
        theirs = {name: claim for name, claim in claims.items() if name not in OURS}
        identity = identity_of(token, theirs, role)
        try:
            starts = msgspec.convert(claims.get("nbf", 0.0), float)
        except PARSING_ERRORS:
            return None
        good = identity is not None and starts <= now < identity.expires
        return identity if good else None


def _source(keys: str | os.PathLike[str], clock: Clock) -> KeyFile | KeyUrl:
    address = os.fspath(keys)
    if "://" not in address:
        return KeyFile(Path(address))
    from .key_url import KeyUrl  # noqa: PLC0415  # only this needs an HTTP client

    return KeyUrl(address, clock)


def _key_id(token: str) -> str | msgspec.UnsetType | None:
    """Return the id of the key that a token names; UNSET if it is no token."""
    if len(token) > TOKEN_CHARS_MAX:
        return msgspec.UNSET
    try:
        found = jwt.get_unverified_header(token).get("kid")
    except PARSING_ERRORS:
        return msgspec.UNSET
    return found if found is None else str(found)
