"""The first admin: somebody must be one, to make others."""

from __future__ import annotations

import os
import secrets

from ..hub import Hubbub

__all__ = ["PASSWORD_VARIABLE", "make_admin"]

PASSWORD_VARIABLE = "HUBBUB_ADMIN_PASSWORD"  # noqa: S105  # it is the name of one
GENERATED_BYTES = 12


async def make_admin(hub: Hubbub, name: str) -> str | None:
    """
    Make the account of a name an admin's; make the account if it is not there.

    Args:
        hub: an open hub.
        name: the account's.

    Returns:
        The password that was made up, for it to be told once; None if there is no need.

    Raises:
        Invalid: the name, or the password in the environment, is outside its limits.
    """
    user = await hub.accounts.find(name)
    made_up = None
    async with hub.session(user or hub.ids.new(), role="admin") as admin:
        if user is None:
            given = os.environ.get(PASSWORD_VARIABLE)
            made_up = None if given else secrets.token_urlsafe(GENERATED_BYTES)
            await admin.users.update(nickname=name)
            await admin.users.create_account(name, given or str(made_up))
        await admin.users.set_role(admin.user.id, "admin")
    return made_up
