"""Who is there: signed tokens, ours and the application's."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Awaitable, Sequence
from hashlib import blake2b
from typing import Annotated, Protocol, runtime_checkable

import jwt
import msgspec
from jwt.types import Options

from ...errors import NotAllowed
from ...permissions import ROLES
from ...service import SEQ_MAX
from ...settings import Settings
from ...users.user import SignInReference

__all__ = [
    "PARSING_ERRORS",
    "SESSION_CHARS_MAX",
    "TOKEN_CHARS_MAX",
    "Authenticator",
    "Identity",
    "KeepsFresh",
    "Tokens",
    "check_token",
    "identity_of",
    "read_claims",
]

ALGORITHM = "HS256"
# Verified tokens that are kept, so that users who reconnect often cost little: a digest of each
# and the user it names, about a thousand bytes at most.
VERIFIED_MAX = 10_000
# The longest token that is verified, in characters; servers take headers of 8 KB.
TOKEN_CHARS_MAX = 8_192
# The longest name of a session in an application's token, in characters.
SESSION_CHARS_MAX = 200

# All that a parser of JSON, Base64 or a signature can say of what somebody has made up.
PARSING_ERRORS = (
    jwt.PyJWTError,
    msgspec.MsgspecError,
    ValueError,
    TypeError,
    OverflowError,
    RecursionError,
)


class Identity(msgspec.Struct, frozen=True):
    """
    The user whom a token names.

    Args:
        user: the user's id.
        role: ``user``, ``moderator`` or ``admin``.
        expires: when the token expires, in seconds since 1970.
        nickname: what the user is called, whatever nickname the client sends; None leaves it to
            the client.
        session: names the sign-in, of which signing out revokes all tokens. None is for a
            token that signing out does not revoke.
        issued: when the token was signed, in seconds since 1970. Give it with a session: a user
            who has signed out everywhere signs in again only with a newer token.
        refreshes: True if the token only signs in, as a refresh token.
        generation: the number of the refresh token that it is, or comes from; None for a token
            that does not rotate.
        fresh: True if the user gave no token, but a password, or is a new guest.
        epoch: the user's epoch when the password was looked up.
        application: True if it stands for a token of the application's.
        named: True if that token had a nickname.
    """

    user: str
    role: str = "user"
    expires: float = 0.0
    nickname: str | None = None
    session: str | None = None
    issued: float = 0.0
    refreshes: bool = False
    generation: int | None = None
    fresh: bool = False
    epoch: int | None = None
    application: bool = False
    named: bool = False

    @property
    def reference(self) -> SignInReference:
        """The sign-in that it comes from."""
        return SignInReference(
            self.session, self.issued, self.generation, self.refreshes, self.fresh, self.epoch
        )


class Authenticator(Protocol):
    """
    Tells which user a token of the application's names; any async function will do.

    The server calls it with tokens that it has not made itself. Of the role in the identity and
    the role that the user has at the hub, the higher one counts.
    """

    def __call__(self, token: str) -> Awaitable[Identity | None]:
        """Return the user, or None if the token is not valid."""


@runtime_checkable
class KeepsFresh(Protocol):
    """An authenticator that has something to do as long as the hub is open."""

    async def keep_fresh(self) -> None:
        """Do it until cancelled."""


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
        self._verified: OrderedDict[bytes, Identity] = OrderedDict()

    def sign(  # noqa: PLR0913
        self,
        user: str,
        role: str = "user",
        session: str | None = None,
        *,
        nickname: str | None = None,
        until: float = math.inf,
        generation: int | None = None,
        application: bool = False,
        named: bool = False,
    ) -> str:
        """
        Make an access token, which expires after ``token_seconds``.

        Args:
            user: the user's id.
            role: ``user``, ``moderator`` or ``admin``. Of this role and the role that the user
                has at the hub, the higher one counts.
            session: names the sign-in, which the user can sign out of.
            nickname: what the user is called, whatever nickname the client sends.
            until: when it expires at the latest, in seconds since 1970.
            generation: of the sign-in's refresh token, if it has one.
            application: True if it stands for a token of the application's.
            named: True if that token had a nickname.
        """
        left = until - self._settings.clock.now().timestamp()
        claims = _claims_of(user, role, session, "access", generation)
        if nickname is not None:
            claims["name"] = nickname
        if application:
            claims["app"] = True
        if named:
            claims["named"] = True
        return self._sign(claims, min(self._settings.token_seconds, left))

    def refresh_token(self, identity: Identity, generation: int) -> str:
        """
        Make what gets new access tokens, once.

        Args:
            identity: whom it names.
            generation: which one of the sign-in it is.
        """
        claims = _claims_of(identity.user, identity.role, identity.session, "refresh", generation)
        return self._sign(claims, self._settings.refresh_seconds)

    def verify(self, token: str) -> Identity:
        """
        Read a token.

        Raises:
            NotAllowed: it is not ours, was changed, or has expired.
        """
        check_token(token)
        digest = blake2b(token.encode(), digest_size=32).digest()
        identity = self._verified.get(digest)
        if identity is None:
            identity = self._read(token)
            self._verified[digest] = identity
            if len(self._verified) > VERIFIED_MAX:
                self._verified.popitem(last=False)
        if identity.expires <= self._settings.clock.now().timestamp():
            raise NotAllowed("The token has expired; sign in again.")
        return identity

    def is_ours(self, token: str) -> bool:
        """Tell whether a token was signed by this server, whether it has expired or not."""
        try:
            check_token(token)
            self._read(token)
        except NotAllowed:
            return False
        return True

    def _sign(self, claims: dict[str, object], seconds: float) -> str:
        now = self._settings.clock.now().timestamp()
        times = {"iat": now, "exp": int(now + seconds)}
        return jwt.encode({**claims, **times}, self._secret, algorithm=ALGORITHM)

    def _read(self, token: str) -> Identity:
        # Its times are compared with the hub's clock, not with the machine's.
        options: Options = {"verify_exp": False, "verify_iat": False, "require": ["sub", "exp"]}
        claims = read_claims(token, self._secret, [ALGORITHM], options)
        identity = None if claims is None else identity_of(token, claims)
        if identity is None:
            raise NotAllowed("The token is not good; sign in again.")
        return identity


def check_token(token: str) -> None:
    """
    Return if a token may be looked at.

    Raises:
        NotAllowed: it is longer than ``TOKEN_CHARS_MAX``, or has what no encoding has a form for.
    """
    if len(token) > TOKEN_CHARS_MAX:
        raise NotAllowed(f"A token has at most {TOKEN_CHARS_MAX} characters; sign in again.")
    if not token.isascii() and any("\ud800" <= char <= "\udfff" for char in token):
        raise NotAllowed("The token is not good; sign in again.")


def read_claims(  # noqa: PLR0913
    token: str,
    key: str | jwt.PyJWK,
    algorithms: Sequence[str],
    options: Options,
    *,
    audience: str | None = None,
    issuer: str | None = None,
) -> dict[str, object] | None:
    """
    Return what a token claims, or None if its signature or a claim is not good.

    Args:
        token: anything at all.
        key: what must have signed it.
        algorithms: the only ones that are taken, whatever the token names.
        options: what is looked at.
        audience: what the claim ``aud`` must be, if anything.
        issuer: what the claim ``iss`` must be, if anything.
    """
    try:
        claims: dict[str, object] = jwt.decode(
            token, key, algorithms, options, audience=audience, issuer=issuer
        )
    except PARSING_ERRORS:
        return None
    return claims


def _claims_of(
    user: str, role: str, session: str | None, use: str, generation: int | None
) -> dict[str, object]:
    claims: dict[str, object] = {"sub": user, "role": role, "use": use}
    if session is not None:
        claims["sid"] = session
    if generation is not None:
        claims["gen"] = generation
    return claims


class _Claims(msgspec.Struct):
    sub: str
    exp: float = 0.0
    iat: float = 0.0
    role: str = "user"
    sid: str | None = None
    name: str | None = None
    use: str = "access"
    gen: Annotated[int, msgspec.Meta(ge=0, le=SEQ_MAX)] | None = None
    app: bool = False
    named: bool = False


def identity_of(token: str, claims: object, role: str | None = None) -> Identity | None:
    """
    Make an identity of a token's claims, or None if they mean nothing.

    Args:
        token: names the session where no claim does.
        claims: as they were signed.
        role: what counts instead of the claim.
    """
    try:
        read = msgspec.convert(claims, _Claims)
    except PARSING_ERRORS:
        return None
    given = role or read.role
    if given not in ROLES or not _are_usable(read):
        return None
    return Identity(
        read.sub,
        given,
        read.exp,
        read.name,
        read.sid or blake2b(token.encode(), digest_size=16).hexdigest(),
        read.iat,
        read.use == "refresh",
        read.gen,
        application=read.app,
        named=read.named,
    )


def _are_usable(read: _Claims) -> bool:
    # What is no number is neither before nor after anything; a user's id and a session are
    # written into the history.
    if not (math.isfinite(read.exp) and math.isfinite(read.iat)):
        return False
    names = (read.sub, read.sid or "sid")
    return "/" not in read.sub and all(
        0 < len(name) <= SESSION_CHARS_MAX and name.isprintable() for name in names
    )
