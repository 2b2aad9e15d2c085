"""What happens to a user and an account. The tags are the types on the wire."""

from __future__ import annotations

from datetime import datetime

from ..journal.event import Data
from ..journal.link import Linked, Marked, Offered, Rated, Unlinked

__all__ = [
    "AccountCreated",
    "AccountEvent",
    "AccountLinked",
    "PasswordSet",
    "Profiled",
    "Registered",
    "RoleGiven",
    "SignedOut",
    "SignedOutEverywhere",
    "UserEvent",
]


class Registered(Data, frozen=True, tag="registered"):
    """The user is known from now on."""

    nickname: str
    avatar: str


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


class SignedOut(Data, frozen=True, tag="signed_out"):
    """The tokens of one sign-in are good no more; they would have been until a time."""

    session: str
    until: datetime


class SignedOutEverywhere(Data, frozen=True, tag="signed_out_everywhere"):
    """All tokens made before are good no more, but for those of the session that is kept."""

    keep: str | None = None


class AccountCreated(Data, frozen=True, tag="account_created"):
    """A user may sign in by this account's name; what the password is hashed to is kept."""

    user: str
    name: str
    hash: str


class PasswordSet(Data, frozen=True, tag="password"):
    """The password is another."""

    hash: str


UserEvent = (
    Registered
    | Profiled
    | AccountLinked
    | RoleGiven
    | SignedOut
    | SignedOutEverywhere
    | Linked
    | Unlinked
    | Marked
    | Offered
    | Rated
)
AccountEvent = AccountCreated | PasswordSet
