"""Nicknames of users, looked up once."""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import suppress
from itertools import islice

from ..errors import Invalid, NotFound
from ..users.service import Users
from ..users.user import User

__all__ = ["NAMES_MAX", "Names", "clean"]

# Nicknames to remember; at this many the program forgets them all.
NAMES_MAX = 10_000
LOOKUP = 100

# Control characters. Hubbub refuses them, but another server may send them.
_control = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]").sub


def clean(text: str) -> str:
    """Replace what could control a terminal."""
    return _control("\N{REPLACEMENT CHARACTER}", text)


class Names:
    """
    The nicknames of users.

    Args:
        users: looks users up.
    """

    def __init__(self, users: Users) -> None:
        self._users = users
        self._known: dict[str, str] = {}
        self._guests: set[str] = set()

    def of(self, user_id: str) -> str:
        """Return a user's nickname, or their id if the nickname is not known."""
        return self._known.get(user_id) or clean(user_id)

    def is_guest(self, user_id: str) -> bool:
        """Tell whether a user is a guest; False if that is not known."""
        return user_id in self._guests

    def note(self, users: Iterable[User]) -> None:
        """Remember users."""
        if len(self._known) > NAMES_MAX:
            self._known.clear()
            self._guests.clear()
        for user in users:
            self._known[user.id] = clean(user.nickname)
            (self._guests.add if user.guest else self._guests.discard)(user.id)

    async def learn(self, user_ids: Iterable[str], *, again: bool = False) -> None:
        """
        Look users up.

        Args:
            user_ids: the users' ids; an id without a user is ignored.
            again: whether to look up known users too, who may have changed their nickname.
        """
        unknown = {one: None for one in user_ids if again or one not in self._known}
        self.note(await self._look_up(unknown))

    async def find(self, who: str, also: Iterable[str] = ()) -> User:
        """
        Find a user by id, or by nickname in small or capital letters.

        Args:
            who: a nickname or an id.
            also: the ids of users to search, besides the users who are online.

        Raises:
            NotFound: there is no such user.
            Invalid: several users have that nickname.
        """
        candidates = {user.id: user for user in await self._online()}
        away = [one for one in also if one not in candidates]
        candidates |= {user.id: user for user in await self._look_up(away)}
        if who in candidates:
            return candidates[who]
        found = [one for one in candidates.values() if one.nickname.lower() == who.lower()]
        if len(found) > 1:
            ids = ", ".join(one.id for one in found)
            raise Invalid(f"Several users have that nickname. Use an id: {ids}.")
        if not found:
            return await self._users.get(who)
        return found[0]

    async def _online(self) -> list[User]:
        found = page = await self._users.online(limit=LOOKUP)
        # The last user of a page may leave, and then the users after it are not found.
        with suppress(NotFound):
            while len(page) == LOOKUP:
                page = await self._users.online(after=page[-1].id, limit=LOOKUP)
                found = found + page
        return found

    async def _look_up(self, user_ids: Iterable[str]) -> list[User]:
        found: list[User] = []
        wanted = iter(user_ids)
        while some := list(islice(wanted, LOOKUP)):
            found += await self._look_up_some(some)
        return found

    async def _look_up_some(self, user_ids: list[str]) -> list[User]:
        try:
            return await self._users.get_many(user_ids)
        except NotFound:
            # A ban may name an id that no user ever had.
            found = []
            for user_id in user_ids:
                with suppress(NotFound):
                    found.append(await self._users.get(user_id))
            return found
