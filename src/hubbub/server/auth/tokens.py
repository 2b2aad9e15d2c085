"""Signed tokens, the server's and the application's, and the users that they name."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Awaitable, Sequence
from hashlib import blake2b
from typing import Annotated, Protocol, runtime_checkable

import jwt
import msgspec
from jwt.types import Options

from ...errors import Invalid, NotAllowed
from ...permissions import ROLES
from ...service import SEQ_MAX
from ...settings import Settings
from ...shown import shown
from ...users.user import SignInReference, check_id_of_user

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
# Verified tokens that the server keeps, so that users who reconnect often cost little: a digest
# of each and the user it names, about a thousand bytes at most.
VERIFIED_MAX = 10_000
# The longest token that is verified, in characters; servers take headers of 8 KB.
TOKEN_CHARS_MAX = 8_192
# The longest name of a session in an application's token, in characters.
SESSION_CHARS_MAX = 200

# All that a parser of JSON, Base64 or a signature raises for bytes that anybody can send.
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
    The user that a token names.

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

    The server calls it with tokens that it has not made itself. The user has the higher of two
    roles: the role in the identity, and the role at the hub.
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
        secret: signs them. Anybody who has it can sign in as any user.
        settings: the clock, and when tokens expire.
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
            role: ``user``, ``moderator`` or ``admin``. The user has the higher of two roles:
                this one, and the role at the hub.
            session: names the sign-in, which the user can sign out of.
            nickname: what the user is called, whatever nickname the client sends.
            until: when it expires at the latest, in seconds since 1970.
            generation: of the sign-in's refresh token, if it has one.
            application: True if it stands for a token of the application's.
            named: True if that token had a nickname.

        Raises:
            Invalid: there is no such role, or the id is no text of up to ``name_chars_max``
                printable characters without a slash.
        """
        check_id_of_user(user, self._settings.name_chars_max)
        if role not in ROLES:
            raise Invalid(f"The role must be one of {', '.join(ROLES)}, not {shown(role)}.")
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
        Make a refresh token, which signs in once.

        Args:
            identity: the user, and the sign-in.
            generation: the number of the token within the sign-in.
        """
        claims = _claims_of(identity.user, identity.role, identity.session, "refresh", generation)
        return self._sign(claims, self._settings.refresh_seconds)

    def verify(self, token: str) -> Identity:
        """
        Read a token.

        Raises:
            NotAllowed: the server did not sign it, or it was changed or has expired.
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
        """Tell whether this server has signed a token, expired or not."""
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
            raise NotAllowed("The token is not valid; sign in again.")
        return identity


def check_token(token: str) -> None:
    """
    Check that a token can be parsed.

    Raises:
        NotAllowed: it is longer than ``TOKEN_CHARS_MAX``, or has characters that UTF-8 cannot
            encode.
    """
    if len(token) > TOKEN_CHARS_MAX:
        raise NotAllowed(f"A token has at most {TOKEN_CHARS_MAX} characters; sign in again.")
    if not token.isascii() and any("\ud800" <= char <= "\udfff" for char in token):
        raise NotAllowed("The token is not valid; sign in again.")


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
    Return the claims of a token, or None if its signature or a claim is not valid.

    Args:
        token: anything at all.
        key: the key that must have signed it.
        algorithms: the only ones that count, whatever the token names.
        options: the checks of the library.
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
    Make an identity of a token's claims, or return None if they name no user.

    Args:
        token: names the session if no claim does.
        claims: as they were signed.
        role: replaces the claim.
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
    # NaN is neither before nor after any time. The user's id and the session become part of the
    # history.
    if not (math.isfinite(read.exp) and math.isfinite(read.iat)):
        return False
    names = (read.sub, read.sid or "sid")
    return "/" not in read.sub and all(
        0 < len(name) <= SESSION_CHARS_MAX and name.isprintable() for name in names
    )
