"""The hub: a store, the journal on it, the features, and the sessions of its users."""

from __future__ import annotations

from collections import deque
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
from .journal.command import Command
from .journal.containment import contained
from .journal.event import STREAM_BYTES_MAX, Streams
from .journal.journal import Journal
from .journal.live.feed import Feed
from .journal.schedule import HUB
from .journal.stats import Meter
from .journal.stores.url import close_store, open_store
from .journal.threads import Threads
from .permissions import ROLES
from .quotas import Quotas
from .runtimes import Runtimes
from .service import Service
from .session import LocalSession, Session
from .settings import Settings
from .users.accounts import Accounts
from .users.presence import Presence
from .users.runtime import UsersRuntime
from .users.sign_ins import GuestReference
from .users.signing_in import Adopted, SignedIn, sign_in_command
from .users.user import SignInReference
from .wake_up import WakeUp

__all__ = ["Hubbub"]

IN_PROCESS = SignInReference()

T = TypeVar("T")


class Hubbub(AsyncContextManagerMixin):
    """
    An open hub; made by :func:`hubbub.open`.

    Args:
        url: the store.
        settings: limits, clock.
        features: what the hub offers.
        options: what features take from those who open the hub, by name.

    Raises:
        Invalid: a feature has a mistake, or there is none for an option.
    """

    itself: Actor
    journal: Journal
    meter: Meter
    _runtimes: Runtimes
    _tasks: TaskGroup
    _start_wake_up: WakeUp

    def __init__(
        self,
        url: str,
        settings: Settings,
        features: Sequence[Feature],
        options: Mapping[str, object],
    ) -> None:
        self.features = FeatureSet(features)
        if USERS_NAME not in self.features:
            raise Invalid("A hub cannot be without users: a session is a user's. Add hubbub.USERS.")
        self.features.check_options(options)
        self._permissions = self.features.permissions(settings.required_roles)
        self.settings = settings
        self.options = options
        self.ids = Ids(settings.clock, settings.random)
        self.quotas = Quotas(settings, self.features.quotas)
        self._url = url
        self._open = False
        self._to_start: deque[Callable[[], Coroutine[Any, Any, None]]] = deque()

    @asynccontextmanager
    async def __asynccontextmanager__(self) -> AsyncGenerator[Self]:
        error: Exception | None = None
        async with AsyncExitStack() as stack:
            store = await Threads(1).run(open_store, self._url)
            stack.push_async_callback(close_store, store)
            longest = stream_bytes_max(self.settings.name_chars_max)
            streams = Streams(self.features.streams, longest)
            new_limit = partial(self.features.new_limit, self.settings)
            self.journal = Journal(store, streams, self.settings, new_limit)
            self.itself = Actor(self.journal, self.settings, self.ids, HUB, "user")
            self.meter = self._new_meter()
            await stack.enter_async_context(self.journal)
            # What sockets and requests run here ends before the journal drains.
            self._tasks = await stack.enter_async_context(anyio.create_task_group())
            self._start_wake_up = WakeUp()
            self._tasks.start_soon(self._start_what_comes)
            stack.callback(self._stop)
            self._runtimes = Runtimes(self, self._tasks)
            stack.push_async_callback(self._runtimes.leave)
            try:
                for feature in self.features:
                    await self._runtimes.enter(feature)
                    # From users on, which come first, the other features may have sessions.
                    self._open = True
                self._runtimes.begin()
                yield self
            except Exception as raised:
                # What a feature's runtime has died of goes before it.
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
        Connect a user; leaving it disconnects.

        Args:
            user_id: the application's id of the user: 1 to 100 characters, no slash.
            nickname: what to show; by default what it was, or the id.
            role: ``user``, or ``moderator`` or ``admin`` of everything.
            guest: the guest that the user was before: what they had becomes this user's.

        Raises:
            Invalid: an argument is outside its limits.
            NotAllowed: ``guest`` is the user of an account.
            Closed: the hub has been left.
            WrongLoop: it was opened in another event loop.
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
                "" begins at the first event there is, None with the next one.

        Raises:
            Invalid: ``after`` is no position.
            Conflict: it is of another journal: the database was replaced or restored.
            StorageError: the store cannot be read; go on from the last position.
            Closed: the hub is not open, or is closing.
            WrongLoop: it was opened in another event loop.
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
        Make the command that a session begins with: it makes the user known.

        Args:
            actor: the user, and where they come from.
            nickname: what to show; None is as before.
            guest: the guest that the user was before.
            reference: the sign-in that the user comes from.
            chosen, named: True if a stranger, or the application, has chosen the nickname.
        """
        adopted = None
        if guest is not None:
            check_user_id(guest.user, self.settings.name_chars_max)
            adopted = Adopted(guest, self._runtimes.adoptions)
        return sign_in_command(
            actor, self.presence, nickname, reference, adopted, chosen=chosen, named=named
        )

    def session_of(self, actor: Actor, signed_in: SignedIn | None = None) -> LocalSession:
        """Make a session of somebody, with the role that counts."""
        if signed_in is None:
            return LocalSession(actor, self)
        actor.role = signed_in.role
        session = LocalSession(actor, self)
        session.user = signed_in.user
        return session

    def connect(self, actor: Actor) -> None:
        """Count a session of a user who is known already."""
        self.presence.connect(actor.user, actor)
        self._runtimes.tell_connected(actor.user)

    def disconnect(self, actor: Actor, *, lost: bool = False) -> None:
        """Count a session less; one whose connection was lost may be back in a moment."""
        self.presence.disconnect(actor.user, actor, lost=lost)
        # To leave the hub is not to leave a match.
        if self._open:
            self._runtimes.tell_connected(actor.user)

    def start(self, work: Callable[..., Coroutine[Any, Any, None]], *args: object) -> None:
        """
        Run something in the hub's task group, from anywhere in the event loop.

        A protocol's callback is not a task, so it may not start one itself. What the work
        raises ends it alone, and is logged.
        """
        name = str(getattr(work, "__qualname__", work))
        self._to_start.append(partial(contained, name, work, *args))
        self._start_wake_up.set()

    def keep_running(self, what: str, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """
        Run something as long as the hub is open: it starts again, with back-off, if it fails.

        Args:
            what: names it in the log.
            work: runs until it is cancelled.
        """
        self._runtimes.keep_running(what, work)

    async def _start_what_comes(self) -> None:
        while True:
            await self._start_wake_up.wait()
            while self._to_start:
                self._tasks.start_soon(self._to_start.popleft())

    async def drain(self) -> None:
        """Take no more commands, and finish those that were accepted."""
        self._open = False
        await self._runtimes.drain()
        await self.journal.drain()

    @property
    def is_open(self) -> bool:
        """True from entering the hub until leaving it."""
        return self._open

    @property
    def is_healthy(self) -> bool:
        """True while it is open and its store works."""
        return self._open and not self.journal.failed

    @property
    def presence(self) -> Presence:
        """The users who are connected."""
        return self.runtime(UsersRuntime).presence

    @property
    def accounts(self) -> Accounts:
        """The users' accounts."""
        return self.runtime(UsersRuntime).accounts

    def is_connected(self, user_id: str) -> bool:
        """Tell whether a user has a session just now."""
        return self.presence.is_connected(user_id)

    def runtime(self, kind: type[T]) -> T:
        """
        Return what the runtime of a feature has yielded.

        Args:
            kind: its class.

        Raises:
            Invalid: no feature of this hub has such a runtime.
        """
        return self._runtimes.of(kind)

    def new_service(self, name: str, actor: Actor, guard: MethodGuard | None) -> Service:
        """
        Make a service of a session.

        Raises:
            AttributeError: there is no such feature here.
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
        """Make what stands before the methods of a session, if anything does."""
        allowance = None
        if actor.is_limited:
            allowance = Allowance(self.quotas, actor.user, actor.address)
        if allowance is None and not self.features.hooks:
            return None
        return MethodGuard(actor, self.features.hooks, allowance)

    def webhooks(self, secrets: Mapping[str, str]) -> Mapping[str, Receiver]:
        """
        Make what takes the calls of providers.

        Args:
            secrets: the name of a webhook -> its signing secret.
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
        Make what a user's services command through; see :class:`Actor`.

        Raises:
            Invalid: an argument is outside its limits.
            Closed: the hub is not open.
        """
        if not self._open:
            raise Closed("The hub is not open; use it with `async with`.")
        if role not in ROLES:
            raise Invalid(f"A session's role is one of {', '.join(ROLES)}, not {role!r}.")
        check_user_id(user_id, self.settings.name_chars_max)
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
            lambda: len(self.presence.online()),
            self.features.traffic,
        )

    def _stop(self) -> None:
        self._open = False
        self._tasks.cancel_scope.cancel()


def check_user_id(user_id: object, chars_max: int) -> None:
    """Raise Invalid if it cannot be a user's id, which is a part of streams' names."""
    good = isinstance(user_id, str) and 0 < len(user_id) <= chars_max
    if not good or not str(user_id).isprintable() or "/" in str(user_id):
        raise Invalid(f"A user's id has 1 to {chars_max} printable characters and no slash.")


def stream_bytes_max(name_chars_max: int) -> int:
    """Return the longest name of a stream: two names of four bytes a character fit in."""
    return max(STREAM_BYTES_MAX, 8 * name_chars_max + 64)
