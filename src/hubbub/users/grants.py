"""The users that may call the methods of users, and read its streams. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from ..permissions import ADMIN, ANYONE, OWN, Grant

__all__ = ["USERS_GRANTS", "USERS_READERS"]

# A kind of stream -> who may read and follow it.
USERS_READERS: Mapping[str, Grant] = {
    "user": Grant(("owner",), "Only the user can read their own stream."),
    "account": Grant(("nobody",), "Nobody can read an account's stream."),
}

# A method -> who may call it.
USERS_GRANTS: Mapping[str, Grant] = {
    "users.get": ANYONE,
    "users.get_many": ANYONE,
    "users.online": ANYONE,
    "users.update": OWN,
    "users.create_account": OWN,
    "users.change_password": Grant(("owner",), but="with the current password"),
    "users.set_away": OWN,
    "users.sign_out": OWN,
    "users.set_role": ADMIN,
    "users.list_users": ADMIN,
    "users.find": ADMIN,
    "users.create_user": ADMIN,
    "users.set_password": ADMIN,
    "users.disable": Grant(("admin",), ADMIN.refusal, but="not themself"),
    "users.enable": ADMIN,
}
