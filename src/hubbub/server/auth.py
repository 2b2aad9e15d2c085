"""Who is there: signed tokens, ours and the application's."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Awaitable
from datetime import timedelta
from hashlib import blake2b
from typing import Protocol

import jwt
import msgspec
from jwt.types import Options

from ..errors import NotAllowed
from ..permissions import ROLES
from ..settings import Settings
from ..users.user import Origin

__all__ = ["UNREADABLE", "Authenticator", "Identity", "Tokens"]

ALGORITHM = "HS256"
# Verified tokens kept, so that those who come back often cost little.
VERIFIED_MAX = 10_000
# What reading JSON may raise besides: nested too deeply, a number or a text that is none.
UNREADABLE = (RecursionError, ValueError)


class Identity(msgspec.Struct, frozen=True):
    """
    Whom a token names.

    Args:
        user: the user's id.
        role: ``user``, ``moderator`` or ``admin``.
        expires: until when the token is good, in seconds since 1970.
        nickname: what to show, if whoever made the token says so.
        session: names the sign-in; signing out ends all its tokens.
        issued: when the token was made, in seconds since 1970.
        refreshes: True if it is for getting other tokens only.
    """

    user: str
    role: str = "user"
    expires: float = 0.0
    nickname: str | None = None
    session: str | None = None
    issued: float = 0.0
    refreshes: bool = False

    @property
    def origin(self) -> Origin:
        """The sign-in that it comes from."""
        return Origin(self.session, self.issued)


class Authenticator(Protocol):
    """
    Tells whom a token of the application's names: any async function that does.

    It is asked about tokens that the server has not made itself. A role that it gives counts
    besides the one that the user has at the hub.
    """

    def __call__(self, token: str) -> Awaitable[Identity | None]:
        """Return whom it names, or None if it is not good."""


class Tokens:
    """
    Makes and reads the server's own tokens: JSON Web Tokens (RFC 7519), HMAC-SHA256.

    Args:
        secret: signs them; whoever has it can be anybody.
        settings: the clock, and how long tokens are good for.
    """

    def __init__(self, secret: str, settings: Settings) -> None:
        self._secret = secret
        self._settings = settings
        self._verified: OrderedDict[str, Identity] = OrderedDict()

    def sign(
        self, user: str, role: str = "user", session: str | None = None, *, until: float = math.inf
    ) -> str:
        """
        Make an access token, good for ``token_seconds``.

        Args:
            user: whom it names.
            role: counts besides the one that the user has at the hub.
            session: the sign-in that it comes from.
            until: when it ends at the latest, in seconds of Unix time.
        """
        left = until - self._settings.clock.now().timestamp()
        seconds = min(self._settings.token_seconds, left)
        return self._sign(user, role, session, seconds, "access")

    def refresh_token(self, token: str | None, identity: Identity) -> str:
        """Make what gets new access tokens, or return it if less than half its life is over."""
        seconds = self._settings.refresh_seconds
        left = identity.expires - self._settings.clock.now().timestamp()
        if token is not None and identity.refreshes and left > seconds / 2:
            return token
        return self._sign(identity.user, identity.role, identity.session, seconds, "refresh")

    def verify(self, token: str) -> Identity:
        """
        Read a token.

        Raises:
            NotAllowed: it is not ours, was changed, or has expired.
        """
        identity = self._verified.get(token)
        if identity is None:
            identity = self._read(token)
            self._verified[token] = identity
            if len(self._verified) > VERIFIED_MAX:
                self._verified.popitem(last=False)
        if identity.expires <= self._settings.clock.now().timestamp():
            raise NotAllowed("The token has expired; sign in again.")
        return identity

    def is_ours(self, token: str) -> bool:
        """Tell whether a token was signed by this server, whether it has expired or not."""
        try:
            self._read(token)
        except NotAllowed:
            return False
        return True

    def _sign(self, user: str, role: str, session: str | None, seconds: float, use: str) -> str:
        now = self._settings.clock.now()
        claims: dict[str, object] = {
            "sub": user,
            "role": role,
            "iat": now.timestamp(),
            "exp": int((now + timedelta(seconds=seconds)).timestamp()),
            "use": use,
        }
        if session is not None:
            claims["sid"] = session
        return jwt.encode(claims, self._secret, algorithm=ALGORITHM)

    def _read(self, token: str) -> Identity:
        # Its times are compared with the hub's clock, not with the machine's.
        options: Options = {"verify_exp": False, "verify_iat": False, "require": ["sub", "exp"]}
        try:
            claims = jwt.decode(token, self._secret, algorithms=[ALGORITHM], options=options)
            return identity_of(token, claims)
        except (jwt.InvalidTokenError, msgspec.ValidationError, *UNREADABLE) as error:
            raise NotAllowed("The token is not good; sign in again.") from error


class _Claims(msgspec.Struct):
    sub: str
    exp: float = 0.0
    iat: float = 0.0
    role: str = "user"
    sid: str | None = None
    name: str | None = None
    use: str = "access"


def identity_of(token: str, claims: object, role: str | None = None) -> Identity:
    """
    Make an identity of a token's claims.

    Args:
        token: names the session where no claim does.
        claims: as they were signed.
        role: what counts instead of the claim.

    Raises:
        msgspec.ValidationError: a claim is of a wrong type.
    """
    read = msgspec.convert(claims, _Claims)
    given = role or read.role
    if given not in ROLES:
        raise msgspec.ValidationError(f"there is no role {given!r}")
    session = read.sid or blake2b(token.encode(), digest_size=16).hexdigest()
    refreshes = read.use == "refresh"
    return Identity(read.sub, given, read.exp, read.name, session, read.iat, refreshes)
