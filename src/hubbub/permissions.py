"""
What users may do: each feature says it of its own methods and streams, in its ``grants``.

A decision works out what the actor is to a thing (its author, a member, a player …), and
asks here whether that is enough. A table in the documentation is made from all grants.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from .errors import NotAllowed

__all__ = ["ADMIN", "ANYONE", "OWN", "ROLES", "Grant", "Permissions", "Refusals", "check"]

# Of everything; each may do what those before it may.
ROLES = ("user", "moderator", "admin")
ARTICLE = {"moderator": "a moderator", "admin": "an admin"}

# A service -> its methods that a user may not call, and what the user is told.
Refusals = Mapping[str, Mapping[str, str]]


class Grant(msgspec.Struct, frozen=True):
    """
    Who may do something.

    Args:
        who: what an actor may be to the thing; being one of these is enough. ``anyone`` is
            any signed-in user, ``nobody`` is the hub itself, ``moderator`` and ``admin`` are
            also roles of everything; any other word is the feature's own.
        refusal: what is said to others.
        error: the class of that error.
        but: what else is asked for, for the documentation.
    """

    who: tuple[str, ...]
    refusal: str = "You may not do this."
    error: type[NotAllowed] = NotAllowed
    but: str = ""


ANYONE = Grant(("anyone",))
OWN = Grant(("owner",))
ADMIN = Grant(("admin",), "Only an admin may do this.")


def check(grant: Grant, *held: str) -> None:
    """
    Return if what an actor is permits something.

    Args:
        grant: what is asked for.
        held: what the actor is to the thing.

    Raises:
        NotAllowed: it does not; or the subclass that the grant names.
    """
    for who in grant.who:
        if who == "anyone" or who in held:
            return
    raise grant.error(grant.refusal)


class Permissions:
    """
    Which methods a global role alone rules out, whatever they are about.

    Args:
        grants: a method, like ``chat.kick`` -> who may call it.
        required: a method -> the least role for it, where more is asked for.
    """

    def __init__(self, grants: Mapping[str, Grant], required: Mapping[str, str]) -> None:
        self._refused: dict[str, Refusals] = {}
        for role in ROLES:
            found: dict[str, dict[str, str]] = {}
            for command, grant in grants.items():
                least = required.get(command, "admin" if grant.who == ("admin",) else "user")
                if ROLES.index(role) < ROLES.index(least):
                    service, _, method = command.partition(".")
                    message = f"Only {ARTICLE[least]} may do this."
                    found.setdefault(service, {})[method] = message
            self._refused[role] = found

    def refused(self, role: str) -> Refusals:
        """
        Return which methods a role rules out.

        Args:
            role: one of ``ROLES``.
        """
        return self._refused[role]
