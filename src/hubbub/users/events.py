"""What happens to a user and an account. The tags are the types on the wire."""

from __future__ import annotations

from datetime import datetime

from ..journal.event import Data
from ..journal.link import Linked, Marked, Offered, Unlinked
from ..players import Rated, ToldPlayer

__all__ = [
    "AccountCreated",
    "AccountEvent",
    "AccountLinked",
    "NameClaimed",
    "PasswordSet",
    "Profiled",
    "Registered",
    "RoleGiven",
    "SignInRecorded",
    "SignedOut",
    "SignedOutEverywhere",
    "UserDisabled",
    "UserEnabled",
    "UserEvent",
]


class Registered(Data, frozen=True, tag="registered", omit_defaults=True):
    """The user is known from now on; a guest by the sign-in that is named."""

    nickname: str
    avatar: str
    session: str | None = None


class Profiled(Data, frozen=True, tag="profiled"):
    """The nickname or the avatar is another."""

    nickname: str
    avatar: str


class AccountLinked(Data, frozen=True, tag="account"):
    """The user signs in by the account of this name from now on."""

    name: str


class RoleGiven(Data, frozen=True, tag="role"):
    """The user is a user, a moderator or an admin of everything."""

    role: str


class SignInRecorded(Data, frozen=True, tag="signed_in"):
    """The newest refresh token of a sign-in is the one of this generation."""

    session: str
    generation: int = 0


class SignedOut(Data, frozen=True, tag="signed_out", omit_defaults=True):
    """
    The tokens of one sign-in are revoked; they would have been good until a time.

    ``reused`` is True if an old refresh token was used again, so that somebody has a copy.
    """

    session: str
    until: datetime
    reused: bool = False


class SignedOutEverywhere(Data, frozen=True, tag="signed_out_everywhere"):
    """All tokens made before are good no more, but for those of the session that is kept."""

    keep: str | None = None


class UserDisabled(Data, frozen=True, tag="disabled"):
    """An admin has disabled the user, who cannot sign in any more."""


class UserEnabled(Data, frozen=True, tag="enabled"):
    """An admin lets the user sign in again."""


class AccountCreated(Data, frozen=True, tag="account_created"):
    """A user may sign in by this account's name; what the password is hashed to is kept."""

    user: str
    name: str
    hash: str


class PasswordSet(Data, frozen=True, tag="password"):
    """The password is another."""

    hash: str


class NameClaimed(Data, frozen=True, tag="name_claimed"):
    """Names that look like this one are reserved for the user who goes by it."""

    user: str
    name: str


UserEvent = (
    Registered
    | Profiled
    | AccountLinked
    | RoleGiven
    | SignInRecorded
    | SignedOut
    | SignedOutEverywhere
    | UserDisabled
    | UserEnabled
    | Linked
    | Unlinked
    | Marked
    | Offered
    | Rated
    | ToldPlayer
)
AccountEvent = AccountCreated | PasswordSet | NameClaimed
