"""Users: profiles, and who is there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from ..errors import Invalid
from ..journal.caller import Caller
from ..journal.command import Command, nothing
from ..journal.event import Draft, Event
from ..journal.states import States
from ..service import Service, check_limit, command, query
from ..text import check_name
from . import user as u
from .presence import Presence
from .user import User, UserState, user_of

__all__ = ["Users", "register"]

R = TypeVar("R")


class Users(Service):
    """
    Profiles and presence.

    Args:
        caller: whose commands these are.
        presence: who is connected.
    """

    name = "users"

    __slots__ = ("_by", "_caller", "_presence")

    def __init__(self, caller: Caller, presence: Presence) -> None:
        super().__init__(caller.execute)
        self._caller = caller
        self._by = caller.user
        self._presence = presence

    @query
    def get(self, user_id: str) -> Command[User]:
        """
        Look a user up.

        Raises:
            NotFound: there is no such user.
        """
        return self._lookup([user_id], lambda users: users[0])

    @query
    def get_many(self, user_ids: list[str]) -> Command[list[User]]:
        """
        Look several users up, in the order of the ids: 1 to 500.

        Raises:
            NotFound: one of them is not there.
        """
        check_limit(len(user_ids), self._caller.settings.page_max)
        return self._lookup(user_ids, lambda users: users)

    @query
    def online(self) -> Command[list[User]]:
        """List who has a session now, the first to come first."""
        return self._lookup(self._presence.online(), lambda users: users)

    @command
    def update(self, *, nickname: str | None = None, avatar: str | None = None) -> Command[User]:
        """
        Change one's own profile; what is not given stays.

        Raises:
            Invalid: the nickname or the avatar is empty or longer than 100 characters.
        """
        by, longest = self._by, self._caller.settings.name_chars_max
        stream = f"user/{by}"

        def decide(states: States) -> Sequence[Draft]:
            new_nickname = nickname and check_name(nickname, longest, "nickname")
            new_avatar = avatar and check_name(avatar, longest, "avatar")
            return u.profile(states.of(UserState, stream), by, new_nickname, new_avatar)

        def result(states: States, events: Sequence[Event]) -> User:
            return self._show(states, by)

        if nickname == "" or avatar == "":
            raise Invalid("A nickname or an avatar has at least one character.")
        return Command(by, decide, result, reads=(stream,))

    def _lookup(self, user_ids: list[str], result: Callable[[list[User]], R]) -> Command[R]:
        def show(states: States, events: Sequence[Event]) -> R:
            return result([self._show(states, user_id) for user_id in user_ids])

        reads = [f"user/{user_id}" for user_id in user_ids]
        return Command(self._by, nothing, show, reads=reads)

    def _show(self, states: States, user_id: str) -> User:
        state = states.of(UserState, f"user/{user_id}")
        return user_of(user_id, state, self._presence.status(user_id))


def register(caller: Caller, presence: Presence, nickname: str | None) -> Command[User]:
    """Make the command that a session begins with: the user is known from then on."""
    by = caller.user
    stream = f"user/{by}"

    def decide(states: States) -> Sequence[Draft]:
        longest = caller.settings.name_chars_max
        checked = None if nickname is None else check_name(nickname, longest, "nickname")
        return u.register(states.of(UserState, stream), by, checked)

    def result(states: States, events: Sequence[Event]) -> User:
        return user_of(by, states.of(UserState, stream), presence.status(by))

    return Command(by, decide, result, reads=(stream,))
