"""A user as an admin sees them. Pure."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from .user import Status, UserState, user_of

__all__ = ["UserRecord", "record_of"]


class UserRecord(msgspec.Struct, frozen=True):
    """
    A user as an admin sees them.

    Args:
        id: the user's id.
        nickname: what others see.
        role: the user's global role: ``user``, ``moderator`` or ``admin``. A role that the
            application gives in a token is not known here.
        account: the name that the user signs in with, or None without an account.
        guest: True for a user who came over a network with only a nickname, and has no account.
        disabled: True if an admin has disabled the user, who cannot sign in then.
        status: ``online``, ``away`` or ``offline``.
        joined_at: when the hub first saw the user, UTC.
        signed_in_at: when the newest of the sign-ins that last began or was refreshed, UTC;
            None if there is none. Sign-ins with a token of the application do not count.
    """

    id: str
    nickname: str
    role: str
    account: str | None
    guest: bool
    disabled: bool
    status: Status
    joined_at: datetime
    signed_in_at: datetime | None


def record_of(user_id: str, state: UserState, status: Status) -> UserRecord:
    """
    Show a user to an admin.

    Raises:
        NotFound: there is no user of that id.
    """
    user = user_of(user_id, state, status)
    signed_in_at = max((one.at for one in state.sign_ins.values()), default=None)
    return UserRecord(
        user.id,
        user.nickname,
        state.role,
        state.account or None,
        user.guest,
        state.disabled,
        status,
        user.joined_at,
        None if signed_in_at is None else datetime.fromtimestamp(signed_in_at, UTC),
    )
