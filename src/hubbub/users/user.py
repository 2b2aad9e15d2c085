"""A user: the profile, the role, the sign-ins, and links to the user's streams. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar, Literal

import msgspec

from ..errors import Invalid, NotAllowed, NotFound
from ..journal.event import Draft, Event
from ..permissions import ROLES, check
from ..players import PlayerLinks
from ..shown import shown
from ..stream_names import user_stream
from .events import (
    AccountLinked,
    Profiled,
    Registered,
    RoleGiven,
    SignedOut,
    SignedOutEverywhere,
    SignInRecorded,
    UserDisabled,
    UserEnabled,
    UserEvent,
)
from .grants import USERS_READERS

__all__ = [
    "SIGNED_OUT_MAX",
    "SIGN_INS_MAX",
    "SignInReference",
    "SignInState",
    "Status",
    "User",
    "UserState",
    "check_id_of_user",
    "default_avatar",
    "profile",
    "register",
    "user_of",
]

# Sign-ins of one user; a further sign-in ends the one that was refreshed longest ago.
SIGN_INS_MAX = 1_000
# Revoked sign-ins whose tokens have no family; above this number all such tokens are revoked.
SIGNED_OUT_MAX = 1_000

Status = Literal["online", "away", "offline"]


class User(msgspec.Struct, frozen=True, omit_defaults=True):
    """
    A user's public profile.

    Args:
        id: the application's id, or the server's for a guest.
        nickname: the name to show.
        avatar: an emoji, or any text that the application sets.
        status: ``online`` while there is a session, ``away`` while all sessions are away.
        joined_at: when the user first signed in, UTC.
        rating: how well the user plays; 1500 at first.
        guest: True for a user who signed in over the network with only a nickname, and has
            no account; omitted from JSON if False.
    """

    id: str
    nickname: str
    avatar: str
    status: Status
    joined_at: datetime
    rating: float
    guest: bool = False


class SignInReference(msgspec.Struct, frozen=True):
    """
    The sign-in of a session.

    Args:
        session: its id; None in the process, where there are no sign-ins.
        issued: when its token was issued, in seconds since 1970.
        generation: the generation of the token in its family; None if it has no family.
        refreshes: True for a sign-in with a refresh token.
        fresh: True if it begins now, with a password or as a new guest.
        epoch: the user's epoch when the password was verified.
    """

    session: str | None = None
    issued: float = 0.0
    generation: int | None = None
    refreshes: bool = False
    fresh: bool = False
    epoch: int | None = None


class SignInState(msgspec.Struct):
    """
    An active sign-in.

    Args:
        generation: the generation of its newest refresh token.
        at: when that token was issued, in seconds since 1970.
    """

    generation: int
    at: float


class UserState(PlayerLinks):
    """The fold of a ``user/ID`` stream."""

    data_type: ClassVar[Any] = UserEvent
    # The first version did not fold which users are guests.
    version: ClassVar[int] = 1

    avatar: str = ""
    joined_at: datetime | None = None
    account: str = ""
    # True for a user who signs in only with tokens of this server, without an account.
    guest: bool = False
    role: str = "user"
    # True if an admin has disabled the user, who cannot sign in.
    disabled: bool = False
    # The active sign-ins, the one refreshed longest ago first. Their order decides, not a
    # time: a clock that is set back must not invalidate tokens.
    sign_ins: dict[str, SignInState] = {}
    # How often the user has signed out everywhere.
    epoch: int = 0
    # For tokens without a family (the application's, and those of older versions):
    # sessions that were signed out -> when their tokens would have expired.
    signed_out: dict[str, datetime] = {}
    # Tokens without a family that were issued before this are revoked, except one session's.
    good_after: float = 0.0
    kept_session: str | None = None

    def apply(self, event: Event) -> None:
        """Fold one event."""
        match event.data:
            case Registered(nickname, avatar, session):
                self.nickname, self.avatar, self.joined_at = nickname, avatar, event.at
                if session is not None:
                    self._keep(session, 0, event.at)
                    self.guest = not self.account
            case Profiled(nickname, avatar):
                self.nickname, self.avatar = nickname, avatar
            case AccountLinked(name):
                self.account, self.guest = name, False
            case RoleGiven(role):
                self.role = role
            case SignInRecorded(session, generation):
                self._keep(session, generation, event.at)
                # An older version, whose registration does not record it.
                self.guest = not self.account
            case SignedOut(session, until):
                self._end(session, until, event.at)
            case SignedOutEverywhere(keep):
                self.good_after, self.kept_session = event.at.timestamp(), keep
                self.sign_ins = {one: s for one, s in self.sign_ins.items() if one == keep}
                self.epoch += 1
            case UserDisabled() | UserEnabled():
                self.disabled = isinstance(event.data, UserDisabled)
            case _:
                super().apply(event)

    def check_reader(self, stream: str, user: str) -> None:
        """Refuse every reader but the user."""
        check(USERS_READERS["user"], *(("owner",) if stream == user_stream(user) else ()))

    def check_signed_in(self, reference: SignInReference, now: datetime) -> None:
        """Raise NotAllowed if a sign-in has ended, or an admin has disabled the user."""
        if self.disabled:
            raise NotAllowed("This user is disabled; ask an admin.")
        session = reference.session
        if session is None or session in self.sign_ins:
            return
        if reference.fresh:
            over = reference.epoch is not None and reference.epoch != self.epoch
        else:
            # A token that we signed, of a user who does not exist, comes from another history,
            # before a reset; the user begins again.
            lost = reference.generation is not None and self.joined_at is not None
            over = lost or self._is_over(session, reference.issued, now)
        if over:
            raise NotAllowed("You were signed out; sign in again.")

    def effective_role(self, given: str) -> str:
        """Return the higher of a role that the application gives and the user's own role."""
        # Almost all users have the lowest.
        return given if self.role == ROLES[0] else max(given, self.role, key=ROLES.index)

    def _keep(self, session: str, generation: int, at: datetime) -> None:
        # It becomes the last to be evicted.
        self.sign_ins.pop(session, None)
        self.sign_ins[session] = SignInState(generation, at.timestamp())
        if len(self.sign_ins) > SIGN_INS_MAX:
            del self.sign_ins[next(iter(self.sign_ins))]

    def _end(self, session: str, until: datetime, at: datetime) -> None:
        self.sign_ins.pop(session, None)
        self.signed_out = {**self.signed_out, session: until}
        if len(self.signed_out) > SIGNED_OUT_MAX:
            self.signed_out = {one: end for one, end in self.signed_out.items() if end > at}
        if len(self.signed_out) > SIGNED_OUT_MAX:
            # Evicting one of them would make its tokens valid again.
            self.signed_out, self.good_after = {}, at.timestamp()

    def _is_over(self, session: str, issued: float, now: datetime) -> bool:
        if session in self.signed_out:
            return True
        # While the clock is behind the sign-out, times cannot tell what came before.
        behind = now.timestamp() < self.good_after
        return issued < self.good_after and not behind and session != self.kept_session


def default_avatar(user_id: str) -> str:
    """Return 😊 for an even numeric id, 😎 for an odd one, 👤 otherwise."""
    if user_id.isascii() and user_id.isdigit():
        return "😎" if int(user_id[-1]) % 2 else "😊"
    return "👤"


def register(
    state: UserState, user_id: str, nickname: str | None, session: str | None = None
) -> list[Draft]:
    """
    Register a user, or change their nickname.

    Args:
        state: the user's state.
        user_id: the user's id.
        nickname: the name to show; None keeps the previous one.
        session: the sign-in that a new guest begins with.
    """
    stream = user_stream(user_id)
    if state.joined_at is None:
        avatar = default_avatar(user_id)
        return [Draft(stream, Registered(nickname or user_id, avatar, session))]
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
    return [Draft(user_stream(user_id), new)]


def user_of(user_id: str, state: UserState, status: Status) -> User:
    """
    Return a user's public profile.

    Raises:
        NotFound: the user does not exist.
    """
    if state.joined_at is None:
        raise NotFound(f"There is no user {shown(user_id)}; check the id.")
    return User(
        user_id,
        state.nickname,
        state.avatar,
        status,
        state.joined_at,
        state.rating,
        state.guest,
    )


def check_id_of_user(user_id: object, chars_max: int) -> None:
    """Raise Invalid for a user id that cannot be part of a stream's name."""
    good = isinstance(user_id, str) and 0 < len(user_id) <= chars_max
    if not good or not str(user_id).isprintable() or "/" in str(user_id):
        raise Invalid(f"A user id must have 1 to {chars_max} printable characters and no slash.")
