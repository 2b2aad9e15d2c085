"""The hub: a store, the journal, the features, and the sessions of the users."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Any, Self, TypeVar

import anyio
from anyio import AsyncContextManagerMixin
from anyio.abc import TaskGroup

from .errors import Closed, Invalid
from .feature import Feature, Receiver
from .feature_set import USERS_NAME, FeatureSet
from .guard import MethodGuard
from .ids import Ids
from .journal.actor import Actor
from .journal.allowance import Allowance
from .journal.cluster.bus import Bus
from .journal.cluster.bus_url import bus_of
from .journal.command import Command
from .journal.containment import contained
from .journal.journal import Journal
from .journal.live.feed import Feed
from .journal.schedule import HUB
from .journal.stats import Meter
from .journal.stores.contract import Store
from .journal.stores.url import close_store
from .journal.threads import Threads
from .permissions import ROLES
from .quotas import Quotas
from .runtimes import Runtimes
from .service import Service
from .session import LocalSession, Session
from .settings import Settings
from .task_starter import TaskStarter
from .users.accounts import Accounts
from .users.presence import Presence
from .users.runtime import UsersRuntime
from .users.sign_ins import GuestReference
from .users.signing_in import Adopted, SignedIn, sign_in_command
from .users.user import SignInReference, check_id_of_user

__all__ = ["Hubbub"]

IN_PROCESS = SignInReference()

T = TypeVar("T")


class Hubbub(AsyncContextManagerMixin):
    """
    An open hub; :func:`hubbub.open` makes it.

    Args:
        open_store: opens the store, in a worker thread.
        settings: limits and the clock.
        features: the features of the hub.
        options: the options that features take, by name.
        open_bus: returns the bus of a store that several nodes share.

    Raises:
        Invalid: a feature has a mistake, or an option belongs to no feature.
    """

    itself: Actor
    journal: Journal
    meter: Meter
    _runtimes: Runtimes
    _tasks: TaskGroup
    _starter: TaskStarter

    def __init__(
        self,
        open_store: Callable[[], Store],
        settings: Settings,
        features: Sequence[Feature],
        options: Mapping[str, object],
        open_bus: Callable[[Store], Bus | None] = bus_of,
    ) -> None:
        self.features = FeatureSet(features)
        if USERS_NAME not in self.features:
            raise Invalid(
                "A hub needs hubbub.USERS: a session belongs to a user. Add it to features=."
            )
        self.features.check_options(options)
        self._permissions = self.features.permissions(settings.required_roles)
        self.settings = settings
        self.options = options
        self.ids = Ids(settings.clock, settings.random)
        self.quotas = Quotas(settings, self.features.quotas)
        self._open_store = open_store
        self._open_bus = open_bus
        self._open = False

    @asynccontextmanager
    async def __asynccontextmanager__(self) -> AsyncGenerator[Self]:
        error: Exception | None = None
        async with AsyncExitStack() as stack:
            store = await Threads(1).run(self._open_store)
            stack.push_async_callback(close_store, store)
            streams = self.features.new_streams(self.settings)
            new_limit = partial(self.features.new_limit, self.settings)
            bus = await Threads(1).run(self._open_bus, store)
            self.journal = Journal(store, streams, self.settings, new_limit, bus)
            # Ids sort by time, also those of nodes whose clocks differ.
            self.ids.clock = self.journal.clock
            self.itself = Actor(self.journal, self.settings, self.ids, HUB, "user")
            self.meter = self._new_meter()
            await stack.enter_async_context(self.journal)
            # The tasks of sockets and requests end before the journal drains.
            self._tasks = await stack.enter_async_context(anyio.create_task_group())
            self._starter = TaskStarter(self._tasks)
            self._tasks.start_soon(self._starter.run)
            stack.callback(self._stop)
            self._runtimes = Runtimes(self, self._tasks)
            stack.push_async_callback(self._runtimes.leave)
            try:
                for feature in self.features:
                    await self._runtimes.enter(feature)
                    # The users feature comes first; after it, the other features can have sessions.
                    self._open = True
                self._runtimes.begin()
                self.presence.moved = self._runtimes.tell_connected
                yield self
            except Exception as raised:
                # Report the failure of a feature's runtime before its consequences.
                error = raised
        if (fault := self._runtimes.fault) is not None:
            raise fault
        if error is not None:
            raise error

    @asynccontextmanager
    async def session(
        self,
        user_id: str,
        *,
        nickname: str | None = None,
        role: str = "user",
        guest: str | None = None,
    ) -> AsyncGenerator[Session]:
        """
        Connect a user; the session ends with the ``async with`` block.

        Args:
            user_id: the application's id of the user: 1 to 100 characters, no slash.
            nickname: the name to show; by default the previous one, or the id.
            role: the user's global role: ``user``, ``moderator`` or ``admin``.
            guest: the guest that the user was before; this user takes over the guest's cart.

        Raises:
            Invalid: an argument is outside its limits.
            NotAllowed: ``guest`` is a user with an account.
            Closed: the hub is closed or closing.
            WrongLoop: the hub was opened in another event loop.
        """
        actor = self.actor(user_id, role)
        self.journal.check_home()
        self.presence.connect(user_id, actor)
        try:
            before = None if guest is None else GuestReference(guest)
            signed_in = await actor.execute(self.sign_in_command(actor, nickname, before))
            session = self.session_of(actor, signed_in)
            self._runtimes.tell_connected(user_id)
            yield session
        finally:
            self.disconnect(actor)

    def feed(self, *, after: str | None = None) -> AbstractAsyncContextManager[Feed]:
        """
        Read all events of all streams, in the order of their commits: (position, event).

        Args:
            after: the position of the last event that you have, also from before a restart;
                "" begins at the first event, None with the next event.

        Raises:
            Invalid: ``after`` is not a position.
            Conflict: the position belongs to another journal: the database was replaced or
                restored.
            StorageError: the store cannot be read; continue from the last position.
            Closed: the hub is closed or closing.
            WrongLoop: the hub was opened in another event loop.
        """
        if not self._open:
            raise Closed("The hub is not open; use it with `async with`.")
        return self.journal.feeds.open(after)

    def sign_in_command(  # noqa: PLR0913
        self,
        actor: Actor,
        nickname: str | None,
        guest: GuestReference | None = None,
        reference: SignInReference = IN_PROCESS,
        *,
        chosen: bool = False,
        named: bool = False,
    ) -> Command[SignedIn]:
        """
        Make the command that a session begins with: it registers the user.

        Args:
            actor: the user, and their address.
            nickname: the name to show; None keeps the previous one.
            guest: the guest that the user was before.
            reference: the sign-in that the session belongs to.
            chosen, named: True if a stranger, or the application, has chosen the nickname.
        """
        adopted = None
        if guest is not None:
            check_id_of_user(guest.user, self.settings.name_chars_max)
            adopted = Adopted(guest, self._runtimes.adoptions)
        return sign_in_command(
            actor, self.presence, nickname, reference, adopted, chosen=chosen, named=named
        )

    def session_of(self, actor: Actor, signed_in: SignedIn | None = None) -> LocalSession:
        """Make a session for an actor, with the role that takes precedence."""
        if signed_in is None:
            return LocalSession(actor, self)
        actor.role, actor.admitted = signed_in.role, signed_in.seq
        session = LocalSession(actor, self)
        session.user = signed_in.user
        return session

    def connect(self, actor: Actor) -> None:
        """Count a session of a user who is already registered."""
        self.presence.connect(actor.user, actor)
        self._runtimes.tell_connected(actor.user)

    def disconnect(self, actor: Actor, *, lost: bool = False) -> None:
        """Uncount a session; after a lost connection, the user has a grace period to reconnect."""
        self.presence.disconnect(actor.user, actor, lost=lost)
        # Leaving the hub does not leave a match.
        if self._open:
            self._runtimes.tell_connected(actor.user)

    def start(self, work: Callable[..., Coroutine[Any, Any, None]], *args: object) -> None:
        """
        Run a task in the hub, from anywhere in the event loop.

        A protocol's callback is not a task, so it cannot start a task itself. An exception
        ends only this task, and the hub logs it.
        """
        self.journal.check_home()
        name = str(getattr(work, "__qualname__", work))
        self._starter.start(partial(contained, name, work, *args))

    def keep_running(self, what: str, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """
        Run a task as long as the hub is open; restart it with back-off if it fails.

        Args:
            what: the task's name in the log.
            work: runs until it is cancelled.
        """
        self._runtimes.keep_running(what, work)

    async def drain(self) -> None:
        """Stop accepting commands, and finish the accepted ones."""
        self.journal.check_home()
        self._open = False
        await self._runtimes.drain()
        await self.journal.drain()

    @property
    def is_open(self) -> bool:
        """True while you are inside ``async with`` of the hub."""
        return self._open

    @property
    def is_healthy(self) -> bool:
        """True while the hub is open and its store works."""
        return self._open and not self.journal.failed

    @property
    def presence(self) -> Presence:
        """The connected users."""
        return self.runtime(UsersRuntime).presence

    @property
    def accounts(self) -> Accounts:
        """The users' accounts."""
        return self.runtime(UsersRuntime).accounts

    def is_connected(self, user_id: str) -> bool:
        """Return whether a user has a session now, on any node."""
        return self.presence.is_connected(user_id)

    @property
    def knows_presence(self) -> bool:
        """False while it is not known which users are connected to other nodes."""
        return self.presence.fresh

    def runtime(self, kind: type[T]) -> T:
        """
        Return the value that the runtime of a feature yields.

        Args:
            kind: its class.

        Raises:
            Invalid: no feature of this hub has such a runtime.
        """
        return self._runtimes.of(kind)

    def new_service(self, name: str, actor: Actor, guard: MethodGuard | None) -> Service:
        """
        Make a service for a session.

        Raises:
            AttributeError: this hub does not have the feature.
        """
        feature = self.features.get(name)
        if feature is None or feature.service is Service:
            raise AttributeError(
                f"This hub has no service {name!r}; give its feature to hubbub.open(features=…)."
            )
        service = feature.service(actor, self._runtimes.get(name))
        service.guard = guard
        return service

    def new_guard(self, actor: Actor) -> MethodGuard | None:
        """Make the guard before the methods of a session, if it needs one."""
        allowance = None
        if actor.is_limited:
            allowance = Allowance(self.quotas, actor.user, actor.address)
        if allowance is None and not self.features.hooks:
            return None
        return MethodGuard(actor, self.features.hooks, allowance)

    def webhooks(self, secrets: Mapping[str, str]) -> Mapping[str, Receiver]:
        """
        Make the receivers of providers' webhooks.

        Args:
            secrets: the name of a webhook -> its signing secret.

        Raises:
            Invalid: no feature has a webhook of this name, or a secret is empty.
        """
        return self._runtimes.webhooks(secrets)

    def actor(
        self,
        user_id: str,
        role: str,
        session: str | None = None,
        address: str = "",
        *,
        remote: bool = False,
    ) -> Actor:
        """
        Make the actor that a user's services send commands through; see :class:`Actor`.

        Raises:
            Invalid: an argument is outside its limits.
            Closed: the hub is not open.
        """
        if not self._open:
            raise Closed("The hub is not open; use it with `async with`.")
        if role not in ROLES:
            raise Invalid(f"The role must be one of {', '.join(ROLES)}, not {role!r}.")
        check_id_of_user(user_id, self.settings.name_chars_max)
        return Actor(
            self.journal,
            self.settings,
            self.ids,
            user_id,
            role,
            session,
            address,
            remote=remote,
            permissions=self._permissions,
        )

    def _new_meter(self) -> Meter:
        return Meter(
            self.journal,
            self.settings.clock,
            lambda: self.presence.count,
            lambda: self.presence.users,
            self.features.traffic,
        )

    def _stop(self) -> None:
        self._open = False
        self._tasks.cancel_scope.cancel()
