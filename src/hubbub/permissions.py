"""
Permissions: each feature declares them for its methods and streams, in its ``grants``.

A decision works out the actor's relation to a thing (its author, a member, a player …), and
checks here whether that is enough. The documentation has a table of all grants.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from .errors import NotAllowed

__all__ = [
    "ADMIN",
    "ANYONE",
    "ARTICLE",
    "OWN",
    "ROLES",
    "Grant",
    "Permissions",
    "Refusals",
    "check",
]

# Global roles; each has the permissions of the roles before it.
ROLES = ("user", "moderator", "admin")
ARTICLE = {"moderator": "a moderator", "admin": "an admin"}

# A service -> its methods that a user cannot call, with the message for each.
Refusals = Mapping[str, Mapping[str, str]]


class Grant(msgspec.Struct, frozen=True):
    """
    The users who can do something.

    Args:
        who: relations to the thing; the actor must have one of them. ``anyone`` is any
            signed-in user, ``nobody`` is the hub itself, ``moderator`` and ``admin`` are also
            global roles; any other word belongs to the feature.
        refusal: the message for other users.
        error: the class of that error.
        but: any further condition, for the documentation.
    """

    who: tuple[str, ...]
    refusal: str = "You do not have permission to do this."
    error: type[NotAllowed] = NotAllowed
    but: str = ""


ANYONE = Grant(("anyone",))
OWN = Grant(("owner",))
ADMIN = Grant(("admin",), "Only an admin can do this.")


def check(grant: Grant, *held: str) -> None:
    """
    Return if one of the actor's relations is enough.

    Args:
        grant: the required relations.
        held: the actor's relations to the thing.

    Raises:
        NotAllowed: none of them is enough; or the subclass that the grant names.
    """
    for who in grant.who:
        if who == "anyone" or who in held:
            return
    raise grant.error(grant.refusal)


class Permissions:
    """
    The methods that each global role cannot call, whatever the arguments.

    Args:
        grants: a method, like ``chat.kick`` -> who can call it.
        required: a method -> the lowest role for it, where the application requires more.
    """

    def __init__(self, grants: Mapping[str, Grant], required: Mapping[str, str]) -> None:
        self._refused: dict[str, Refusals] = {}
        for role in ROLES:
            found: dict[str, dict[str, str]] = {}
            for command, grant in grants.items():
                least = required.get(command, "admin" if grant.who == ("admin",) else "user")
                if ROLES.index(role) < ROLES.index(least):
                    service, _, method = command.partition(".")
                    message = f"Only {ARTICLE[least]} can do this."
                    found.setdefault(service, {})[method] = message
            self._refused[role] = found

    def refused(self, role: str) -> Refusals:
        """
        Return the methods that a role cannot call, with a message for each.

        Args:
            role: one of ``ROLES``.
        """
        return self._refused[role]
