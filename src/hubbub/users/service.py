"""Users: profiles, and who is there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import msgspec

from ..errors import Conflict, Invalid, NotFound
from ..journal.actor import Actor
from ..journal.command import Command, nothing
from ..journal.decide.states import States
from ..journal.event import Draft, Event
from ..names import check_person_name
from ..permissions import ROLES
from ..service import Service, check_limit, check_user_id, command, query, slow_command
from ..shown import shown
from ..text import check_name
from . import account as a
from . import sign_ins
from . import user as u
from .account import check_account_name, check_nickname, check_password, claim_streams, streams_of
from .accounts import Accounts
from .events import RoleGiven, SignedOutEverywhere
from .presence import Presence
from .user import SignInReference, User, UserState, user_of

__all__ = ["SignedIn", "Users", "register_command", "role_command"]

R = TypeVar("R")


class SignedIn(msgspec.Struct, frozen=True):
    """
    The user who signs in.

    Args:
        user: the user.
        role: the role that counts.
        account: the name of the account, if any.
        generation: of the newest refresh token; None for a sign-in that has none.
        reused: True if an old refresh token was used again: the sign-in has ended instead.
    """

    user: User
    role: str
    account: str | None
    generation: int | None = None
    reused: bool = False


class Users(Service):
    """
    Profiles, presence and accounts.

    Args:
        caller: whose commands these are.
        presence: who is connected.
        accounts: what signs people in.
    """

    name = "users"

    __slots__ = ("_accounts", "_actor", "_by", "_presence")

    def __init__(self, actor: Actor, presence: Presence, accounts: Accounts) -> None:
        super().__init__(actor.execute, actor.refused)
        self._actor = actor
        self._accounts = accounts
        self._by = actor.user
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
        if not isinstance(user_ids, list | tuple):
            raise Invalid(f"Users are looked up by a list of ids, not {shown(user_ids)}.")
        check_limit(len(user_ids), self._actor.settings.page_max)
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
            Invalid: the nickname or the avatar is empty or longer than 100 characters, or the
                nickname has what nobody can see.
            Conflict: over a network: the nickname looks like the name of another account.
        """
        by, longest = self._by, self._actor.settings.name_chars_max
        stream = f"user/{by}"

        def decide(states: States) -> Sequence[Draft]:
            state = states.of(UserState, stream)
            new_nickname = nickname and check_person_name(nickname, longest, "nickname")
            new_avatar = avatar and check_name(avatar, longest, "avatar")
            drafts = u.profile(state, by, new_nickname, new_avatar)
            if new_nickname and drafts and self._actor.is_limited:
                _check_new_nickname(states, state, new_nickname, by)
            return drafts

        def result(states: States, events: Sequence[Event]) -> User:
            return self._show(states, by)

        if nickname == "" or avatar == "":
            raise Invalid("A nickname or an avatar has at least one character.")
        return Command(by, decide, result, reads=(stream,))

    @slow_command
    async def create_account(self, name: str, password: str) -> User:
        """
        Let oneself sign in by a name and a password from now on; everything is kept.

        Args:
            name: up to 100 characters in one line; letters' case, width and form make no
                difference.
            password: 8 to 1,000 characters.

        Raises:
            Invalid: the name or the password is outside its limits.
            Conflict: the name, or one that looks like it, is taken, or you have an account.
            RateLimited: too many were tried.
        """
        by, chars_max = self._by, self._actor.settings.name_chars_max
        streams, shown = streams_of(name, chars_max), check_account_name(name, chars_max)
        self._accounts.charge(self._actor.address or by)
        hashed = await self._accounts.hash(check_password(password))

        def decide(states: States) -> Sequence[Draft]:
            self._show(states, by)
            return a.create_account(states, streams, by, shown, hashed)

        command = self._changing(by, decide, *streams, *claim_streams(shown))
        return await self._actor.execute(command)

    @slow_command
    async def change_password(self, old: str, new: str) -> User:
        """
        Take another password; one is signed out everywhere else.

        Args:
            old: the password until now.
            new: 8 to 1,000 characters.

        Raises:
            NotAllowed: the old password is wrong.
            NotFound: one has no account.
            Invalid: the new one is outside its limits.
            RateLimited: too many were tried.
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
        Revoke the tokens of this sign-in, and close its sockets.

        Args:
            everywhere: all sign-ins of this user, not this one only.
        """
        by, session = self._by, self._actor.session
        stream = f"user/{by}"
        good_for = self._actor.settings.refresh_seconds

        def decide(states: States) -> Sequence[Draft]:
            if everywhere:
                return (Draft(stream, SignedOutEverywhere()),)
            state = states.of(UserState, stream)
            over = session not in state.sign_ins and session in state.signed_out
            if session is None or over:
                return ()
            return (sign_ins.end(stream, session, states.now, good_for),)

        return Command(by, decide, lambda states, events: None, reads=(stream,))

    @command
    def set_role(self, user_id: str, role: str) -> Command[User]:
        """
        Make somebody a ``moderator`` or ``admin`` of everything, or a ``user``. For admins.

        Raises:
            NotAllowed: you are no admin.
            NotFound: there is no such user.
            Invalid: there is no such role.
        """
        if role not in ROLES:
            raise Invalid(f"A role is one of {', '.join(ROLES)}, not {role!r}.")

        def decide(states: States) -> Sequence[Draft]:
            self._show(states, user_id)
            same = states.of(UserState, f"user/{user_id}").role == role
            return () if same else (Draft(f"user/{user_id}", RoleGiven(role)),)

        return self._changing(user_id, decide)

    @command
    def set_away(self, *, away: bool) -> Command[None]:
        """
        Tell that one does not look at this session just now, or does again.

        Raises:
            Conflict: one is not connected by it: a request over HTTP makes nobody online.
        """

        def result(states: States, events: Sequence[Event]) -> None:
            if not self._presence.set_away(self._by, self._actor, away=away):
                raise Conflict("Only somebody who is connected can be away.")

        return Command(self._by, nothing, result)

    def _changing(
        self, user_id: str, decide: Callable[[States], Sequence[Draft]], *also: str
    ) -> Command[User]:
        def result(states: States, events: Sequence[Event]) -> User:
            return self._show(states, user_id)

        return Command(self._by, decide, result, reads=(f"user/{user_id}", *also))

    async def _own_account(self) -> str:
        def name(states: States, events: Sequence[Event]) -> str:
            return states.of(UserState, f"user/{self._by}").account

        found = await self._actor.execute(Command(self._by, nothing, name))
        if not found:
            raise NotFound("You have no account yet; make one with users.create_account.")
        return found

    def _lookup(self, user_ids: list[str], result: Callable[[list[User]], R]) -> Command[R]:
        def show(states: States, events: Sequence[Event]) -> R:
            return result([self._show(states, user_id) for user_id in user_ids])

        for user_id in user_ids:
            check_user_id(user_id)
        reads = [f"user/{user_id}" for user_id in user_ids]
        return Command(self._by, nothing, show, reads=reads)

    def _show(self, states: States, user_id: str) -> User:
        state = states.of(UserState, f"user/{user_id}")
        return user_of(user_id, state, self._presence.status(user_id))


def register_command(
    actor: Actor,
    presence: Presence,
    nickname: str | None,
    reference: SignInReference,
    *,
    chosen: bool = False,
) -> Command[SignedIn]:
    """
    Make the command that a session begins with: the user is known from then on.

    Args:
        caller: who comes.
        presence: who is there.
        nickname: what to show from now on; None is as before.
        chosen: True if a stranger has chosen the nickname.
        origin: the sign-in that the user comes from, which must not be over.
    """
    by, session = actor.user, reference.session
    stream = f"user/{by}"
    good_for, grace = actor.settings.refresh_seconds, actor.settings.refresh_grace_seconds

    def decide(states: States) -> Sequence[Draft]:
        checked = _checked(actor, nickname)
        state = states.of(UserState, stream)
        state.check_signed_in(reference, states.now)
        if session is not None and sign_ins.is_reused(state, reference, states.now, grace):
            return (sign_ins.end(stream, session, states.now, good_for, reused=True),)
        if checked is not None and chosen and actor.is_limited:
            _check_new_nickname(states, state, checked, by)
        registered = u.register(state, by, checked, sign_ins.begun(reference))
        return [*registered, *sign_ins.add_sign_in(state, stream, reference, states.now, grace)]

    def result(states: States, events: Sequence[Event]) -> SignedIn:
        state = states.of(UserState, stream)
        user = user_of(by, state, presence.status(by))
        kept = state.sign_ins.get(session or "") if reference.fresh or reference.refreshes else None
        return SignedIn(
            user,
            state.effective_role(actor.role),
            state.account or None,
            None if kept is None else kept.generation,
            sign_ins.has_ended(event.data for event in events),
        )

    # Named here they are loaded with the user, not after.
    alike = claim_streams(nickname) if chosen and nickname and nickname.isprintable() else ()
    return Command(by, decide, result, reads=(stream, *alike))


def role_command(actor: Actor, reference: SignInReference, nickname: str | None) -> Command[str]:
    """
    Make the command that a single request begins with: it gives the role that counts.

    Args:
        caller: who asks; known from then on, and otherwise as before.
        origin: the sign-in that the user comes from, which must not be over.
        nickname: what to show of one who was never seen; None is the id.
    """
    by = actor.user
    stream = f"user/{by}"

    def decide(states: States) -> Sequence[Draft]:
        state = states.of(UserState, stream)
        state.check_signed_in(reference, states.now)
        if state.joined_at:
            return ()
        return u.register(state, by, _checked(actor, nickname), sign_ins.begun(reference))

    def role(states: States, events: Sequence[Event]) -> str:
        return states.of(UserState, stream).effective_role(actor.role)

    return Command(by, decide, role, reads=(stream,))


def _checked(actor: Actor, nickname: str | None) -> str | None:
    if nickname is None:
        return None
    return check_person_name(nickname, actor.settings.name_chars_max, "nickname")


def _check_new_nickname(states: States, state: UserState, nickname: str, by: str) -> None:
    # What somebody has been called is kept, though an account may have come to look like it.
    if nickname != state.nickname and state.role == "user":
        check_nickname(states, nickname, by)
