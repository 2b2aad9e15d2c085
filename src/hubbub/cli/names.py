"""Who is who: nicknames, looked up once."""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import suppress
from itertools import islice

from ..errors import Invalid, NotFound
from ..users.service import Users
from ..users.user import User

__all__ = ["NAMES_MAX", "Names", "clean"]

# Nicknames that a terminal remembers; at this many it forgets them all.
NAMES_MAX = 10_000
LOOKUP = 100

# What would move the cursor, or worse. Hubbub lets none of it in, but another server may.
_control = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]").sub


def clean(text: str) -> str:
    """Make a text harmless to a terminal."""
    return _control("\N{REPLACEMENT CHARACTER}", text)


class Names:
    """
    The nicknames of the users that were met.

    Args:
        users: where they are looked up.
    """

    def __init__(self, users: Users) -> None:
        self._users = users
        self._known: dict[str, str] = {}
        self._guests: set[str] = set()

    def of(self, user_id: str) -> str:
        """Return a user's nickname, or the id if it was not learnt."""
        return self._known.get(user_id) or clean(user_id)

    def is_guest(self, user_id: str) -> bool:
        """Tell whether it is a guest, as far as that was learnt."""
        return user_id in self._guests

    def note(self, users: Iterable[User]) -> None:
        """Remember users that were looked up for something else."""
        if len(self._known) > NAMES_MAX:
            self._known.clear()
            self._guests.clear()
        for user in users:
            self._known[user.id] = clean(user.nickname)
            (self._guests.add if user.guest else self._guests.discard)(user.id)

    async def learn(self, user_ids: Iterable[str], *, again: bool = False) -> None:
        """
        Look up who is not known yet.

        Args:
            user_ids: of anybody, also of nobody.
            again: look up those who are known as well: they may have another name now.
        """
        unknown = {one: None for one in user_ids if again or one not in self._known}
        self.note(await self._look_up(unknown))

    async def find(self, who: str, also: Iterable[str] = ()) -> User:
        """
        Find a user by nickname, whatever its case, or by id.

        Args:
            who: the nickname or the id.
            also: the ids of users to look among, besides those who are online.

        Raises:
            NotFound: there is none.
            Invalid: there are several.
        """
        candidates = {user.id: user for user in await self._users.online()}
        away = [one for one in also if one not in candidates]
        candidates |= {user.id: user for user in await self._look_up(away)}
        if who in candidates:
            return candidates[who]
        found = [one for one in candidates.values() if one.nickname.lower() == who.lower()]
        if len(found) > 1:
            raise Invalid(f"There are several: give an id, {', '.join(one.id for one in found)}.")
        if not found:
            return await self._users.get(who)
        return found[0]

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
            # One can ban whom nobody has ever seen.
            found = []
            for user_id in user_ids:
                with suppress(NotFound):
                    found.append(await self._users.get(user_id))
            return found
