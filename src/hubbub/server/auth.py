"""Who is there: signed tokens, and guests who get one for a nickname."""

from __future__ import annotations

from collections import OrderedDict
from datetime import timedelta

import jwt
import msgspec
from jwt.types import Options

from ..errors import NotAllowed
from ..settings import Settings

__all__ = ["Identity", "Tokens"]

ALGORITHM = "HS256"
# Verified tokens kept, so that those who come back often cost little.
VERIFIED_MAX = 10_000


class Identity(msgspec.Struct, frozen=True):
    """Whom a token names, until when (seconds since 1970)."""

    user: str
    role: str
    expires: float


class Tokens:
    """
    Makes and reads tokens: JSON Web Tokens (RFC 7519), signed with HMAC-SHA256.

    Args:
        secret: signs them; whoever has it can be anybody.
        settings: the clock, and how long a token is good for.
    """

    def __init__(self, secret: str, settings: Settings) -> None:
        self._secret = secret
        self._settings = settings
        self._verified: OrderedDict[str, Identity] = OrderedDict()

    def renew(self, token: str | None, user: str, role: str) -> str:
        """Return a good token, or a new one if there is none or half its life is over."""
        if token is not None:
            left = self.verify(token).expires - self._settings.clock.now().timestamp()
            if left > self._settings.token_seconds / 2:
                return token
        return self.sign(user, role)

    def sign(self, user: str, role: str = "user") -> str:
        """Make a token for a user."""
        now = self._settings.clock.now()
        expires = now + timedelta(seconds=self._settings.token_seconds)
        claims = {"sub": user, "role": role, "exp": int(expires.timestamp())}
        return jwt.encode(claims, self._secret, algorithm=ALGORITHM)

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

    def _read(self, token: str) -> Identity:
        # Its time is compared with the hub's clock, not with the machine's.
        options: Options = {"verify_exp": False, "require": ["sub", "exp"]}
        try:
            claims = jwt.decode(token, self._secret, algorithms=[ALGORITHM], options=options)
            return Identity(str(claims["sub"]), str(claims.get("role", "user")), claims["exp"])
        except jwt.InvalidTokenError as error:
            raise NotAllowed("The token is not good; sign in again.") from error
