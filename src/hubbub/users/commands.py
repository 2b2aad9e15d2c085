"""The decisions about users: their profiles, roles and sign-ins. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from ..journal.decide.states import States
from ..journal.event import Draft
from ..names import check_person_name
from ..settings import Settings
from ..stream_names import user_stream
from ..text import check_name
from . import sign_ins
from .account import check_nickname, claim_shown
from .events import RoleGiven, SignedOutEverywhere
from .user import SignInReference, UserState, profile, register

__all__ = [
    "begin_request",
    "begin_session",
    "give_role",
    "sign_out",
    "sign_out_everywhere",
    "update_profile",
]


def update_profile(  # noqa: PLR0913
    states: States,
    by: str,
    nickname: str | None,
    avatar: str | None,
    chars_max: int,
    *,
    protects_names: bool,
    claims_name: bool,
) -> list[Draft]:
    """
    Change the user's own profile; see :meth:`hubbub.users.service.Users.update`.

    Args:
        states: the states to decide on.
        by: the user.
        nickname: the new nickname; None keeps the old one.
        avatar: the new avatar; None keeps the old one.
        chars_max: the longest nickname or avatar.
        protects_names: True to refuse a nickname that looks like a name another user holds.
        claims_name: True to reserve names that look like the nickname for this user.
    """
    state = states.of(UserState, user_stream(by))
    new_nickname = nickname and check_person_name(nickname, chars_max, "nickname")
    new_avatar = avatar and check_name(avatar, chars_max, "avatar")
    drafts = profile(state, by, new_nickname, new_avatar)
    if new_nickname and drafts and protects_names:
        _check_new_nickname(states, state, new_nickname, by)
    if new_nickname and claims_name:
        return [*drafts, *claim_shown(states, by, new_nickname)]
    return drafts


def give_role(states: States, user: str, role: str) -> Sequence[Draft]:
    """Give a user the global role ``user``, ``moderator`` or ``admin``."""
    stream = user_stream(user)
    state = states.of(UserState, stream)
    if state.role == role:
        return ()
    # No guest must look like a moderator or an admin.
    claimed = () if role == "user" else claim_shown(states, user, state.nickname)
    return (Draft(stream, RoleGiven(role)), *claimed)


def sign_out(states: States, by: str, session: str | None, good_for: float) -> Sequence[Draft]:
    """
    End a sign-in of a user.

    Args:
        states: the states to decide on.
        by: the user.
        session: the id of the sign-in; None in the process, where there is none.
        good_for: how long a refresh token lasts, in seconds.
    """
    stream = user_stream(by)
    state = states.of(UserState, stream)
    over = session not in state.sign_ins and session in state.signed_out
    if session is None or over:
        return ()
    return (sign_ins.end(stream, session, states.now, good_for),)


def sign_out_everywhere(states: States, by: str) -> Sequence[Draft]:
    """End all sign-ins of a user."""
    return (Draft(user_stream(by), SignedOutEverywhere()),)


def begin_session(  # noqa: PLR0913
    states: States,
    by: str,
    nickname: str | None,
    reference: SignInReference,
    settings: Settings,
    *,
    role: str,
    protects_names: bool,
    named: bool,
) -> list[Draft]:
    """
    Register a user, or end a sign-in whose refresh token was used again.

    Args:
        states: the states to decide on.
        by: the user.
        nickname: the name to show; None keeps the previous one.
        reference: the sign-in of the session, which must not have ended.
        settings: the limits.
        role: the role that the application gives the user.
        protects_names: True to refuse a nickname that looks like a name another user
            holds.
        named: True if the nickname comes from the application.
    """
    checked = _checked(nickname, settings)
    stream, session = user_stream(by), reference.session
    state, grace = states.of(UserState, stream), settings.refresh_grace_seconds
    state.check_signed_in(reference, states.now)
    sign_ins.check_taken(state, reference, guests=settings.guests)
    if session is not None and sign_ins.is_reused(state, reference, states.now, grace):
        good_for = settings.refresh_seconds
        return [sign_ins.end(stream, session, states.now, good_for, reused=True)]
    if checked is not None and protects_names:
        _check_new_nickname(states, state, checked, by)
    registered = register(state, by, checked, sign_ins.begun(reference))
    registered += _claimed(states, state, by, checked, role, named=named)
    return [*registered, *sign_ins.add_sign_in(state, stream, reference, states.now, grace)]


def begin_request(  # noqa: PLR0913
    states: States,
    by: str,
    nickname: str | None,
    reference: SignInReference,
    settings: Settings,
    role: str,
) -> list[Draft]:
    """Register the user of a single request, if the id is new."""
    state = states.of(UserState, user_stream(by))
    state.check_signed_in(reference, states.now)
    sign_ins.check_taken(state, reference, guests=settings.guests)
    if state.joined_at:
        return []
    checked = _checked(nickname, settings)
    registered = register(state, by, checked, sign_ins.begun(reference))
    return [*registered, *_claimed(states, state, by, checked, role, named=checked is not None)]


def _claimed(  # noqa: PLR0913
    states: States, state: UserState, by: str, nickname: str | None, role: str, *, named: bool
) -> list[Draft]:
    if state.effective_role(role) != "user":
        return claim_shown(states, by, nickname or state.nickname or by)
    return claim_shown(states, by, nickname) if named and nickname is not None else []


def _checked(nickname: str | None, settings: Settings) -> str | None:
    if nickname is None:
        return None
    return check_person_name(nickname, settings.name_chars_max, "nickname")


def _check_new_nickname(states: States, state: UserState, nickname: str, by: str) -> None:
    # A user keeps their nickname, even if an account has come to look like it.
    if nickname != state.nickname and state.role == "user":
        check_nickname(states, nickname, by)
