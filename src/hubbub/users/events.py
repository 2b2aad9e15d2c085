"""The events of a user and of an account. The tags are the types on the wire."""

from __future__ import annotations

from datetime import datetime

from ..journal.event import Data
from ..journal.link import Linked, Marked, Offered, Unlinked
from ..players import Rated, ToldPlayer
from ..shown import repr_without

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
    """The user was registered; a guest with the sign-in that it names."""

    nickname: str
    avatar: str
    session: str | None = None


class Profiled(Data, frozen=True, tag="profiled"):
    """The nickname or the avatar changed."""

    nickname: str
    avatar: str


class AccountLinked(Data, frozen=True, tag="account"):
    """The user can now sign in with the account of this name."""

    name: str


class RoleGiven(Data, frozen=True, tag="role"):
    """The user has this global role: user, moderator or admin."""

    role: str


class SignInRecorded(Data, frozen=True, tag="signed_in"):
    """A sign-in got its newest refresh token, with this generation."""

    session: str
    generation: int = 0


class SignedOut(Data, frozen=True, tag="signed_out", omit_defaults=True):
    """
    The tokens of one sign-in are revoked; they would have expired at a time.

    ``reused`` is True if an old refresh token was used again, which means that it was copied.
    """

    session: str
    until: datetime
    reused: bool = False


class SignedOutEverywhere(Data, frozen=True, tag="signed_out_everywhere"):
    """All earlier tokens are revoked, except those of the session that is kept."""

    keep: str | None = None


class UserDisabled(Data, frozen=True, tag="disabled"):
    """An admin has disabled the user, who cannot sign in any more."""


class UserEnabled(Data, frozen=True, tag="enabled"):
    """An admin lets the user sign in again."""


class AccountCreated(Data, frozen=True, tag="account_created"):
    """A user can sign in with this account's name; it keeps the hash of the password."""

    user: str
    name: str
    hash: str

    def __repr__(self) -> str:
        return repr_without(self, "hash")


class PasswordSet(Data, frozen=True, tag="password"):
    """The password changed."""

    hash: str

    def __repr__(self) -> str:
        return repr_without(self, "hash")


class NameClaimed(Data, frozen=True, tag="name_claimed"):
    """Names that look like this one are reserved for the user who has it."""

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
