"""A user: the profile, the role, which sign-ins are over, and which streams are theirs. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar, Literal

import msgspec

from ..errors import NotAllowed, NotFound
from ..journal.event import Draft, Event
from ..journal.link import Links
from ..permissions import ROLES, check_reading
from ..service import shown
from .events import (
    AccountLinked,
    Profiled,
    Registered,
    RoleGiven,
    SignedOut,
    SignedOutEverywhere,
    UserEvent,
)

__all__ = [
    "Origin",
    "Status",
    "User",
    "UserState",
    "default_avatar",
    "profile",
    "register",
    "user_of",
]

Status = Literal["online", "away", "offline"]


class User(msgspec.Struct, frozen=True):
    """
    A user as everybody sees one.

    Args:
        id: given by the application, or by the server to a guest.
        nickname: what to show.
        avatar: an emoji, or what the application puts there.
        status: ``online`` while there is a session, ``away`` while all of them are.
        joined_at: when the user was first seen, UTC.
        rating: how well one plays; 1500 at first.
    """

    id: str
    nickname: str
    avatar: str
    status: Status
    joined_at: datetime
    rating: float


class Origin(msgspec.Struct, frozen=True):
    """
    A sign-in that a session comes from.

    Args:
        session: names it; None in the process, where nobody signs in.
        issued: when its token was made, in seconds since 1970.
    """

    session: str | None = None
    issued: float = 0.0


class UserState(Links):
    """The fold of a ``user/ID`` stream."""

    data_type: ClassVar[Any] = UserEvent

    avatar: str = ""
    joined_at: datetime | None = None
    account: str = ""
    role: str = "user"
    # Sessions that were signed out -> until when their tokens would have been good.
    signed_out: dict[str, datetime] = {}
    # Tokens made before are not good, but for those of one session.
    good_after: float = 0.0
    kept_session: str | None = None

    def apply(self, event: Event) -> None:
        """Take one event in."""
        match event.data:
            case Registered(nickname, avatar):
                self.nickname, self.avatar, self.joined_at = nickname, avatar, event.at
            case Profiled(nickname, avatar):
                self.nickname, self.avatar = nickname, avatar
            case AccountLinked(name):
                self.account = name
            case RoleGiven(role):
                self.role = role
            case SignedOut(session, until):
                still = {one: end for one, end in self.signed_out.items() if end > event.at}
                self.signed_out = {**still, session: until}
            case SignedOutEverywhere(keep):
                self.good_after, self.kept_session = event.at.timestamp(), keep
            case _:
                super().apply(event)

    def check_reader(self, stream: str, user: str) -> None:
        """A user's stream is the user's alone."""
        check_reading("user", *(("owner",) if stream == f"user/{user}" else ()))

    def check_signed_in(self, origin: Origin) -> None:
        """Raise NotAllowed if a sign-in is over."""
        session = origin.session
        if session is None:
            return
        too_old = origin.issued < self.good_after and session != self.kept_session
        if too_old or session in self.signed_out:
            raise NotAllowed("You were signed out; sign in again.")

    def effective_role(self, given: str) -> str:
        """Return the higher one of a role that was given from outside and one's own."""
        return max(given, self.role, key=ROLES.index)


def default_avatar(user_id: str) -> str:
    """Return 😊 for an even numeric id, 😎 for an odd one, 👤 otherwise."""
    if user_id.isascii() and user_id.isdigit():
        return "😎" if int(user_id[-1]) % 2 else "😊"
    return "👤"


def register(state: UserState, user_id: str, nickname: str | None) -> list[Draft]:
    """Make a user known, or take a nickname that differs."""
    stream = f"user/{user_id}"
    if state.joined_at is None:
        return [Draft(stream, Registered(nickname or user_id, default_avatar(user_id)))]
    if nickname is not None and nickname != state.nickname:
        return [Draft(stream, Profiled(nickname, state.avatar))]
    return []


def profile(
    state: UserState, user_id: str, nickname: str | None, avatar: str | None
) -> list[Draft]:
    """Change the nickname, the avatar, or both."""
    new = Profiled(nickname or state.nickname, avatar or state.avatar)
    if (new.nickname, new.avatar) == (state.nickname, state.avatar):
        return []
    return [Draft(f"user/{user_id}", new)]


def user_of(user_id: str, state: UserState, status: Status) -> User:
    """
    Show a user.

    Raises:
        NotFound: nobody of that id was ever seen.
    """
    if state.joined_at is None:
        raise NotFound(f"There is no user {shown(user_id)}.")
    return User(user_id, state.nickname, state.avatar, status, state.joined_at, state.rating)
