"""
Sign-ins: each is a family of tokens, and each refresh token can be used once. Pure.

A refresh token gives another one, of the next generation. Two tabs that share a token, or a
client that has lost the response, use it twice within a few seconds: both get the same next token.
A later use means that someone has a copy, and ends the whole family (RFC 9700, section 4.14.2).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import msgspec

from ..errors import NotAllowed
from ..journal.decide.states import States
from ..journal.event import Data, Draft
from ..stream_names import user_stream
from .events import SignedOut, SignInRecorded
from .user import SignInReference, UserState

__all__ = [
    "GuestReference",
    "add_sign_in",
    "begun",
    "check_guest",
    "check_taken",
    "end",
    "has_ended",
    "is_reused",
]


class GuestReference(msgspec.Struct, frozen=True):
    """
    The guest that a user was before signing in, whose cart the user takes over.

    Args:
        user: the guest's id.
        reference: the sign-in of the guest's token.
    """

    user: str
    reference: SignInReference = SignInReference()


def add_sign_in(
    state: UserState, stream: str, reference: SignInReference, now: datetime, grace_seconds: float
) -> list[Draft]:
    """
    Record what a sign-in changes in its family: it begins, continues, or ends.

    Args:
        state: the user's state.
        stream: the user's stream.
        reference: the sign-in, which has not ended.
        now: the time.
        grace_seconds: how long after its use a refresh token can be used once more.
    """
    session = reference.session
    if session is None or not (reference.fresh or reference.refreshes):
        return []
    kept = state.sign_ins.get(session)
    if reference.fresh:
        # A new guest's registration has recorded it.
        return [] if state.joined_at is None else [Draft(stream, SignInRecorded(session))]
    used = reference.generation or 0
    if kept is None:
        # It began with an older version, whose tokens had no limit on their uses; or in another
        # history.
        return [Draft(stream, SignInRecorded(session, used + 1))]
    if is_reused(state, reference, now, grace_seconds):
        return []
    return [] if used < kept.generation else [Draft(stream, SignInRecorded(session, used + 1))]


def begun(reference: SignInReference) -> str | None:
    """Return the sign-in that a new user begins with, if it has a family of tokens."""
    return reference.session if reference.fresh or reference.generation is not None else None


def check_taken(state: UserState, reference: SignInReference, *, guests: bool) -> None:
    """
    Return if the server accepts a user.

    Args:
        state: the user's state.
        reference: the sign-in.
        guests: whether guests can sign in.

    Raises:
        NotAllowed: the user is a guest, and guests cannot sign in.
    """
    # Only our tokens refresh or have a generation; the application vouches for its own.
    ours = reference.refreshes or begun(reference) is not None
    if not guests and ours and not state.account and state.role == "user":
        raise NotAllowed(
            "This server accepts no guests; sign in with a token of the application, "
            "or with the name and the password of an account."
        )


def is_reused(
    state: UserState, reference: SignInReference, now: datetime, grace_seconds: float
) -> bool:
    """Return whether a refresh token was used before, and outside the grace period."""
    kept = state.sign_ins.get(reference.session or "")
    if kept is None or not reference.refreshes:
        return False
    behind = kept.generation - (reference.generation or 0)
    if behind <= 0:
        return False
    # If the clock was set back, the grace period lasts until the clock is right again.
    return behind > 1 or now.timestamp() - kept.at > grace_seconds


def end(stream: str, session: str, now: datetime, seconds: float, *, reused: bool = False) -> Draft:
    """
    Revoke all tokens of a sign-in.

    Args:
        stream: the user's stream.
        session: the id of the sign-in.
        now: the time.
        seconds: the lifetime of a refresh token.
        reused: True if an old refresh token was used again.
    """
    try:
        until = now + timedelta(seconds=seconds)
    except OverflowError:
        until = datetime.max.replace(tzinfo=UTC)
    return Draft(stream, SignedOut(session, until, reused))


def has_ended(facts: Iterable[Data]) -> bool:
    """Return whether an old refresh token has ended a sign-in."""
    return any(isinstance(fact, SignedOut) and fact.reused for fact in facts)


def check_guest(states: States, guest: GuestReference, user: str, grace_seconds: float) -> None:
    """
    Return if a guest's possessions can go to a user.

    Args:
        states: the states to decide on.
        guest: the guest that the user was before.
        user: the user now.
        grace_seconds: see :func:`sign_in`.

    Raises:
        NotAllowed: the guest is the user of an account, or has signed out.
    """
    if guest.user == user:
        return
    state = states.of(UserState, user_stream(guest.user))
    if state.account or state.role != "user":
        raise NotAllowed("Give a guest's token as `guest`; this one belongs to an account.")
    state.check_signed_in(guest.reference, states.now)
    if is_reused(state, guest.reference, states.now, grace_seconds):
        raise NotAllowed("The guest's token was used before; sign in without `guest`.")
