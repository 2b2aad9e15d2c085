"""The methods of users for admins: list, find, create, and disable users."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from ..errors import Invalid, NotFound
from ..journal.actor import Actor
from ..journal.command import Command, nothing
from ..journal.decide.states import States
from ..journal.event import Draft, Event
from ..permissions import ROLES
from ..service import Service, check_limit, check_user_id, command, slow_command, slow_query
from ..shown import shown
from ..stream_names import user_stream
from . import administering
from .account import check_account_name, check_password, claim_streams, streams_of
from .record import UserRecord, record_of
from .runtime import UsersRuntime
from .user import UserState

__all__ = ["Administration"]

# Names of users' streams are between these two.
FIRST, LAST = "user/", "user0"


class Administration(Service):
    """
    The methods of users that are for admins.

    Args:
        actor: the admin.
        runtime: the users who are connected, and what signs users in.
    """

    __slots__ = ("_accounts", "_actor", "_by", "_presence")

    def __init__(self, actor: Actor, runtime: UsersRuntime) -> None:
        super().__init__(actor, runtime)
        self._actor = actor
        self._accounts = runtime.accounts
        self._by = actor.user
        self._presence = runtime.presence

    @slow_query
    async def list_users(self, *, after: str | None = None, limit: int = 50) -> list[UserRecord]:
        """
        List all users, in the order of their ids. For admins.

        Args:
            after: the id of a user: only those after it.
            limit: 1 to 500.

        Raises:
            NotAllowed: you are no admin.
            Invalid: the limit is something else.
        """
        check_limit(limit, self._actor.settings.page_max)
        last = FIRST if after is None else user_stream(check_user_id(after))
        found = list[UserRecord]()
        names = self._actor.journal.store.names
        while len(found) < limit:
            streams = await self._actor.query(names, last, LAST, limit - len(found))
            if not streams:
                break
            page = await self._actor.execute(self._listing(streams))
            found += page
            last = streams[-1]
        return found

    @slow_query
    async def find(self, name: str) -> UserRecord:
        """
        Look a user up by the name of the account, or else by the id. For admins.

        Args:
            name: the account's name, in any case, or a user's id.

        Raises:
            NotAllowed: you are no admin.
            NotFound: there is no such user.
        """
        check_user_id(name)
        try:
            user_id = await self._accounts.find(name) or name
        except Invalid:
            # No account can have this name, and an id can.
            user_id = name
        return await self._actor.execute(self._recorded(user_id, nothing))

    @slow_command
    async def create_user(self, name: str, password: str, *, role: str = "user") -> UserRecord:
        """
        Create a user with an account. For admins.

        Args:
            name: the account's name and the first nickname: up to 100 characters in one line.
            password: 8 to 1,000 characters.
            role: the user's global role: ``user``, ``moderator`` or ``admin``.

        Raises:
            NotAllowed: you are no admin.
            Invalid: the name or the password is outside its limits, or there is no such role.
            Conflict: the name, or one that looks like it, is taken.
            Overloaded: too many passwords wait to be hashed.
        """
        chars_max = self._actor.settings.name_chars_max
        streams, checked = streams_of(name, chars_max), check_account_name(name, chars_max)
        if role not in ROLES:
            raise Invalid(f"A role is one of {', '.join(ROLES)}, not {shown(role)}.")
        hashed = await self._accounts.hash(check_password(password))
        user_id = self._actor.new_id()

        def decide(states: States) -> Sequence[Draft]:
            return administering.create_user(states, streams, user_id, checked, hashed, role)

        also = (*streams, *claim_streams(checked))
        return await self._actor.execute(self._recorded(user_id, decide, *also))

    @slow_command
    async def set_password(self, user_id: str, password: str) -> UserRecord:
        """
        Set the password of a user's account, and revoke the user's sign-ins. For admins.

        Args:
            user_id: the user's id.
            password: the new one: 8 to 1,000 characters.

        Raises:
            NotAllowed: you are no admin.
            NotFound: there is no such user, or the user has no account.
            Invalid: the password is outside its limits.
            Overloaded: too many passwords wait to be hashed.
        """
        checked = check_password(password)
        record = await self._actor.execute(self._recorded(check_user_id(user_id), nothing))
        if record.account is None:
            raise NotFound(f"{record.nickname} has no account, and so no password.")
        hashed = await self._accounts.hash(checked)
        streams = streams_of(record.account, self._actor.settings.name_chars_max)

        def decide(states: States) -> Sequence[Draft]:
            return administering.reset_password(states, user_id, streams, hashed)

        return await self._actor.execute(self._recorded(user_id, decide, *streams))

    @command
    def disable(self, user_id: str) -> Command[UserRecord]:
        """
        Disable a user: no sign-in is accepted, and the present ones are revoked. For admins.

        Args:
            user_id: the user's id.

        Raises:
            NotAllowed: you are no admin.
            NotFound: there is no such user.
            Conflict: you are that user.
        """
        decide = partial(administering.disable, user=check_user_id(user_id), by=self._by)
        return self._recorded(user_id, decide)

    @command
    def enable(self, user_id: str) -> Command[UserRecord]:
        """
        Let a disabled user sign in again. For admins.

        Args:
            user_id: the user's id.

        Raises:
            NotAllowed: you are no admin.
            NotFound: there is no such user.
        """
        decide = partial(administering.enable, user=check_user_id(user_id))
        return self._recorded(user_id, decide)

    def _recorded(
        self, user_id: str, decide: Callable[[States], Sequence[Draft]], *also: str
    ) -> Command[UserRecord]:
        def result(states: States, events: Sequence[Event]) -> UserRecord:
            state = states.of(UserState, user_stream(user_id))
            return record_of(user_id, state, self._presence.status(user_id))

        return Command(self._by, decide, result, reads=(user_stream(user_id), *also))

    def _listing(self, streams: Sequence[str]) -> Command[list[UserRecord]]:
        def result(states: States, events: Sequence[Event]) -> list[UserRecord]:
            found = [(one.removeprefix(FIRST), states.of(UserState, one)) for one in streams]
            # Somebody who was only invited by the id has a stream, and was never here.
            return [
                record_of(user_id, state, self._presence.status(user_id))
                for user_id, state in found
                if state.joined_at is not None
            ]

        return Command(self._by, nothing, result, reads=streams)
