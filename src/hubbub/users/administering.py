"""The decisions of admins about other users: accounts, passwords, disabling. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from ..errors import Conflict, NotFound
from ..journal.decide.states import States
from ..journal.event import Draft
from ..stream_names import user_stream
from .account import create_account, find_account
from .events import PasswordSet, RoleGiven, SignedOutEverywhere, UserDisabled, UserEnabled
from .user import UserState, register

__all__ = ["create_user", "disable", "enable", "reset_password"]


def create_user(  # noqa: PLR0913
    states: States, streams: Sequence[str], user: str, name: str, hashed: str, role: str
) -> list[Draft]:
    """
    Make a user with an account.

    Args:
        states: what is known.
        streams: where an account of this name may be.
        user: the new user's id.
        name: the account's name, as :func:`hubbub.users.account.check_account_name` returns it.
        hashed: what the password is hashed to.
        role: the user's global role.

    Raises:
        Conflict: the name, or one that looks like it, is taken.
    """
    drafts = register(states.of(UserState, user_stream(user)), user, name)
    drafts += create_account(states, streams, user, name, hashed)
    if role != "user":
        drafts.append(Draft(user_stream(user), RoleGiven(role)))
    return drafts


def reset_password(
    states: States, user: str, streams: Sequence[str], hashed: str
) -> Sequence[Draft]:
    """
    Set the password of another user, and revoke all sign-ins of that user.

    Args:
        states: what is known.
        user: the user.
        streams: where the user's account may be.
        hashed: what the new password is hashed to.
    """
    stream = find_account(states, streams)
    return [Draft(stream, PasswordSet(hashed)), Draft(user_stream(user), SignedOutEverywhere())]


def disable(states: States, user: str, by: str) -> Sequence[Draft]:
    """
    Disable a user, and revoke all sign-ins of that user.

    Raises:
        NotFound: there is no such user.
        Conflict: you are that user.
    """
    state = _known(states, user)
    if user == by:
        raise Conflict("You cannot disable yourself; another admin can.")
    if state.disabled:
        return ()
    stream = user_stream(user)
    return [Draft(stream, UserDisabled()), Draft(stream, SignedOutEverywhere())]


def enable(states: States, user: str) -> Sequence[Draft]:
    """
    Let a disabled user sign in again.

    Raises:
        NotFound: there is no such user.
    """
    return [Draft(user_stream(user), UserEnabled())] if _known(states, user).disabled else ()


def _known(states: States, user: str) -> UserState:
    state = states.of(UserState, user_stream(user))
    if state.joined_at is None:
        raise NotFound(f"There is no user {user!r}.")
    return state
