"""Users: profiles, presence and accounts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

from ..errors import Conflict, Invalid, NotFound
from ..journal.command import Command, nothing
from ..journal.decide.states import States
from ..journal.event import Draft, Event
from ..permissions import ROLES
from ..service import check_limit, check_user_id, command, query, slow_command
from ..shown import shown
from ..stream_names import user_stream
from . import account as a
from . import commands
from .account import check_account_name, check_password, claim_streams, streams_of
from .administration import Administration
from .user import User, UserState, user_of

__all__ = ["Users"]

R = TypeVar("R")


class Users(Administration):
    """
    Profiles, presence and accounts.

    Args:
        actor: the user of the session.
        runtime: the connected users, and their accounts.
    """

    name = "users"

    __slots__ = ()

    @query
    def get(self, user_id: str) -> Command[User]:
        """
        Return a user.

        Raises:
            NotFound: the user does not exist.
        """
        return self._lookup([user_id], lambda users: users[0])

    @query
    def get_many(self, user_ids: list[str]) -> Command[list[User]]:
        """
        Return several users, in the order of the ids.

        Args:
            user_ids: 1 to 500 ids.

        Raises:
            NotFound: one of the users does not exist.
            Invalid: the list is empty, or has more than 500 ids.
        """
        if not isinstance(user_ids, list | tuple):
            raise Invalid(f"user_ids must be a list of ids, not {shown(user_ids)}.")
        check_limit(len(user_ids), self._actor.settings.page_max)
        return self._lookup(user_ids, lambda users: users)

    @query
    def online(self, *, after: str | None = None, limit: int | None = None) -> Command[list[User]]:
        """
        List the users who have a session now, in the order in which they connected.

        Args:
            after: a user's id: list only users who come after this user.
            limit: 1 to 500; by default 500.

        Raises:
            NotFound: ``after`` is not online any more; begin again.
            Invalid: the limit is not between 1 and 500.
        """
        most = self._actor.settings.page_max
        count = most if limit is None else check_limit(limit, most)
        return self._lookup(self._presence.page(after, count), lambda users: users)

    @command
    def update(self, *, nickname: str | None = None, avatar: str | None = None) -> Command[User]:
        """
        Change your profile; None keeps a value.

        Args:
            nickname: up to 100 characters in one line.
            avatar: up to 100 characters, like an emoji.

        Raises:
            Invalid: the nickname or the avatar is empty or longer than 100 characters, or the
                nickname has invisible characters.
            Conflict: over a network: the nickname looks like the name of another user's
                account, of a moderator or an admin, or of a user whose name the application sets.
        """
        if nickname == "" or avatar == "":
            raise Invalid("A nickname or an avatar must have at least one character.")
        decide = partial(
            commands.update_profile,
            by=self._by,
            nickname=nickname,
            avatar=avatar,
            chars_max=self._actor.settings.name_chars_max,
            protects_names=self._actor.is_limited,
            claims_name=self._actor.role != "user",
        )
        return self._changing(self._by, decide)

    @slow_command
    async def create_account(self, name: str, password: str) -> User:
        """
        Create an account with a name and a password for this user, who keeps everything.

        Args:
            name: up to 100 characters in one line; case, width and form make no
                difference.
            password: 8 to 1,000 characters.

        Raises:
            Invalid: the name or the password is outside its limits.
            Conflict: the name, or one that looks like it, is taken, or you have an account.
            RateLimited: too many attempts; retry after ``retry_after`` seconds.
            Overloaded: too many users are signing in; retry in a few seconds.
        """
        by, chars_max = self._by, self._actor.settings.name_chars_max
        streams, shown = streams_of(name, chars_max), check_account_name(name, chars_max)
        await self._accounts.charge(self._actor.address or by)
        hashed = await self._accounts.hash(check_password(password))

        def decide(states: States) -> Sequence[Draft]:
            self._show(states, by)
            return a.create_account(states, streams, by, shown, hashed)

        command = self._changing(by, decide, *streams, *claim_streams(shown))
        return await self._actor.execute(command)

    @slow_command
    async def change_password(self, old: str, new: str) -> User:
        """
        Change your password, and sign out your other sessions.

        Args:
            old: the current password.
            new: 8 to 1,000 characters.

        Raises:
            NotAllowed: the current password is wrong.
            NotFound: you have no account.
            Invalid: the new password is outside its limits.
            RateLimited: too many attempts; retry after ``retry_after`` seconds.
            Overloaded: too many users are signing in; retry in a few seconds.
            Conflict: the password has changed in the meantime.
        """
        by, keep = self._by, self._actor.session
        checked = check_password(new)
        name = await self._own_account()
        found = await self._accounts.verify(name, old, self._actor.address or by)
        hashed = await self._accounts.hash(checked)

        def decide(states: States) -> Sequence[Draft]:
            return a.set_password(states, found.stream, found.hash, hashed, keep)

        return await self._actor.execute(self._changing(by, decide, found.stream))

    @command
    def sign_out(self, *, everywhere: bool = False) -> Command[None]:
        """
        Sign out: revoke the tokens of this sign-in, and close its connections.

        Args:
            everywhere: True to end all sign-ins of this user.
        """
        by, session = self._by, self._actor.session
        good_for = self._actor.settings.refresh_seconds

        def decide(states: States) -> Sequence[Draft]:
            if everywhere:
                return commands.sign_out_everywhere(states, by)
            return commands.sign_out(states, by, session, good_for)

        return Command(by, decide, lambda states, events: None, reads=(user_stream(by),))

    @command
    def set_role(self, user_id: str, role: str) -> Command[User]:
        """
        Give a user the global role ``user``, ``moderator`` or ``admin``. For admins.

        Raises:
            NotAllowed: you are not an admin.
            NotFound: the user does not exist.
            Invalid: the role does not exist.
        """
        if role not in ROLES:
            raise Invalid(f"A role must be one of {', '.join(ROLES)}, not {role!r}.")

        def decide(states: States) -> Sequence[Draft]:
            self._show(states, user_id)
            return commands.give_role(states, user_id, role)

        return self._changing(user_id, decide)

    @command
    def set_away(self, *, away: bool) -> Command[None]:
        """
        Mark this session as away, or as back.

        Raises:
            Conflict: the session is not a connection, but a single request over HTTP.
        """

        def mark(_: None) -> None:
            if not self._presence.set_away(self._by, self._actor, away=away):
                raise Conflict("Only a connected session can be away.")

        # It is not in the journal, and must not be marked twice if it is decided again.
        return Command(self._by, nothing, lambda states, events: None, effect=mark)

    def _changing(
        self, user_id: str, decide: Callable[[States], Sequence[Draft]], *also: str
    ) -> Command[User]:
        def result(states: States, events: Sequence[Event]) -> User:
            return self._show(states, user_id)

        return Command(self._by, decide, result, reads=(user_stream(user_id), *also))

    async def _own_account(self) -> str:
        def name(states: States, events: Sequence[Event]) -> str:
            return states.of(UserState, user_stream(self._by)).account

        found = await self._actor.execute(Command(self._by, nothing, name))
        if not found:
            raise NotFound("You have no account yet; create one with users.create_account.")
        return found

    def _lookup(self, user_ids: list[str], result: Callable[[list[User]], R]) -> Command[R]:
        def show(states: States, events: Sequence[Event]) -> R:
            return result([self._show(states, user_id) for user_id in user_ids])

        for user_id in user_ids:
            check_user_id(user_id)
        reads = [user_stream(user_id) for user_id in user_ids]
        return Command(self._by, nothing, show, reads=reads)

    def _show(self, states: States, user_id: str) -> User:
        state = states.of(UserState, user_stream(user_id))
        return user_of(user_id, state, self._presence.status(user_id))
