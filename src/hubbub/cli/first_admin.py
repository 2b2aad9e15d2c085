"""The first admin, who can then make other users admins."""

from __future__ import annotations

import os
import secrets

from ..errors import Conflict
from ..hub import Hubbub

__all__ = ["PASSWORD_VARIABLE", "make_admin"]

PASSWORD_VARIABLE = "HUBBUB_ADMIN_PASSWORD"  # noqa: S105  # it is the name of one
GENERATED_BYTES = 12


async def make_admin(hub: Hubbub, name: str) -> str | None:
    """
    Make an account an admin; create the account if there is none of that name.

    Args:
        hub: an open hub.
        name: the account's.

    Returns:
        The random password of a new account, to show once; None if the account has another.

    Raises:
        Invalid: the name, or the password in the environment, is outside its limits.
    """
    user = await hub.accounts.find(name)
    if user is None:
        try:
            return await _create(hub, name)
        except Conflict:
            # Another node that begins at the same time may have been first.
            user = await hub.accounts.find(name)
            if user is None:
                raise
    async with hub.session(user, role="admin") as admin:
        await admin.users.set_role(user, "admin")
    return None


async def _create(hub: Hubbub, name: str) -> str | None:
    given = os.environ.get(PASSWORD_VARIABLE)
    made_up = None if given else secrets.token_urlsafe(GENERATED_BYTES)
    async with hub.session(hub.ids.new(), role="admin") as admin:
        await admin.users.create_account(name, given or str(made_up))
        await admin.users.update(nickname=name)
        await admin.users.set_role(admin.user.id, "admin")
    return made_up
