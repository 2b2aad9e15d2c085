"""The hub: a store, the journal on it, and the sessions of those who are connected."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Any, Self

import anyio
from anyio import AsyncContextManagerMixin
from anyio.abc import TaskGroup

from . import names
from .errors import Closed, Invalid
from .games.matches.arithmetic import ARITHMETIC
from .games.matches.game import Game
from .games.matches.supervisor import MatchSupervisor
from .ids import Ids
from .journal.actor import Actor
from .journal.command import Command
from .journal.containment import contained, keep_running
from .journal.decide.states import States
from .journal.event import STREAM_BYTES_MAX, Draft, Streams
from .journal.journal import Journal
from .journal.schedule import HUB
from .journal.stores.contract import Store
from .journal.stores.memory import MemoryStore
from .journal.stores.sqlite import SQLiteStore
from .journal.threads import Threads
from .operations.stats import Meter
from .permissions import COMMANDS, ROLES
from .quotas import Quotas
from .ratelimit import RateLimit, rate_limit
from .session import STREAMS, LocalSession, Session
from .settings import Settings
from .shop.carts.cart import cart_stream
from .shop.carts.commands import merge
from .shop.carts.tax import TaxPolicy
from .shop.catalog.price_lookup import PriceSource
from .shop.payments.payment import PaymentProvider
from .shop.storefront import Storefront, read_money_ahead
from .users.accounts import Accounts
from .users.claims import claim_old_names
from .users.presence import Presence
from .users.presence_signals import PresenceSignals
from .users.service import SignedIn, register_command
from .users.sign_ins import GuestReference, check_guest, has_ended
from .users.user import SignInReference, Status

__all__ = ["GAMES", "Hubbub", "open_hub"]

# What can be played at a hub that is opened without games of its own.
GAMES: Mapping[str, Game] = {"default": Game(), "arithmetic": ARITHMETIC}

IN_PROCESS = SignInReference()


def open_hub(  # noqa: PLR0913
    url: str = "hubbub.db",
    *,
    settings: Settings | None = None,
    games: Mapping[str, Game] | None = None,
    prices: PriceSource | None = None,
    tax: TaxPolicy | None = None,
    payments: PaymentProvider | None = None,
) -> Hubbub:
    """
    Open a hub: ``async with hubbub.open("hubbub.db") as hub``.

    Leaving it finishes what was accepted, then closes.

    Args:
        url: ``memory://``, or the path of a SQLite database, made if it is not there.
        settings: limits, clock; see :class:`Settings`.
        games: what can be played, by name, and the queues of matchmaking; by default
            ``default``, two players to 100 points, and ``arithmetic``, a complete game.
        prices: where prices come from; by default from the catalogue.
        tax: how much tax there is; by default 10 % are added.
        payments: takes the money; by default a sandbox that takes none.

    Raises:
        Conflict: the database is open elsewhere.
        StorageError: it cannot be opened.
        Invalid: there is no such kind of store, or a game is outside its limits.
    """
    return Hubbub(
        url,
        settings or Settings(),
        GAMES if games is None else games,
        prices=prices,
        tax=tax,
        payments=payments,
    )


class Hubbub(AsyncContextManagerMixin):
    """
    An open hub; made by :func:`hubbub.open`.

    Args:
        url: the store.
        settings: limits, clock.
        games: what can be played.
        prices, tax, payments: how the shop sells.
    """

    accounts: Accounts
    supervisor: MatchSupervisor
    journal: Journal
    meter: Meter
    storefront: Storefront
    _tasks: TaskGroup
    _presence_signals: PresenceSignals
    _start_wake_up: anyio.Event

    def __init__(  # noqa: PLR0913
        self,
        url: str,
        settings: Settings,
        games: Mapping[str, Game],
        *,
        prices: PriceSource | None = None,
        tax: TaxPolicy | None = None,
        payments: PaymentProvider | None = None,
    ) -> None:
        check_required_roles(settings.required_roles)
        self._games = games
        self._selling = (prices, tax, payments)
        self.settings = settings
        self.ids = Ids(settings.clock, settings.random)
        self.quotas = Quotas(settings)
        self.presence = Presence(
            settings.presence_grace_seconds, settings.clock.monotonic, self._presence_changed
        )
        self._url = url
        self._open = False
        self._to_start: deque[Callable[[], Coroutine[Any, Any, None]]] = deque()

    @asynccontextmanager
    async def __asynccontextmanager__(self) -> AsyncGenerator[Self]:
        error: Exception | None = None
        async with AsyncExitStack() as stack:
            threads = Threads(1)
            await threads.run(read_money_ahead, self.settings.currency, self._selling[0])
            await threads.run(names.read_names_ahead)
            store = await threads.run(_open_store, self._url)
            stack.push_async_callback(_close_store, store)
            streams = Streams(STREAMS, stream_bytes_max(self.settings.name_chars_max))
            self.journal = Journal(store, streams, self.settings, self._new_limit)
            self.supervisor = self._new_supervisor()
            itself = Actor(self.journal, self.settings, self.ids, HUB, "user")
            self.accounts = Accounts(itself)
            self.meter = Meter(
                self.journal,
                self.settings.clock,
                lambda: self.presence.count,
                lambda: len(self.presence.online()),
            )
            self._presence_signals = PresenceSignals(
                itself, self.presence.status, self.start, self.quotas
            )
            self.storefront = Storefront(itself, self.start, *self._selling)
            await stack.enter_async_context(self.journal)
            # What sockets and requests run here ends before the journal drains.
            self._tasks = await stack.enter_async_context(anyio.create_task_group())
            self._start_wake_up = anyio.Event()
            self._tasks.start_soon(self._start_what_comes)
            stack.callback(self._stop)
            for what, work in (
                ("presence", self.presence.run),
                ("the arena", self.supervisor.run),
                ("the till", self.storefront.processor.run),
                # An old database may have accounts whose names nobody has claimed.
                *((("old names", partial(claim_old_names, itself)),) if store.blocking else ()),
            ):
                self._tasks.start_soon(keep_running, what, work)
            stack.push_async_callback(self.storefront.processor.drain)
            self._open = True
            try:
                yield self
            except Exception as raised:
                # The task group would wrap it in a group of its own.
                error = raised
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
            guest: whose cart becomes a part of this user's: who the user was before.

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
            self.supervisor.presence_changed(user_id)
            yield session
        finally:
            self.disconnect(actor)

    def sign_in_command(
        self,
        actor: Actor,
        nickname: str | None,
        guest: GuestReference | None = None,
        reference: SignInReference = IN_PROCESS,
        *,
        chosen: bool = False,
    ) -> Command[SignedIn]:
        """
        Make the command that a session begins with: it makes the user known.

        Args:
            caller: the user, and where they come from.
            nickname: what to show; None is as before.
            guest: the guest that the user was before.
            origin: the sign-in that the user comes from.
            chosen: True if a stranger has chosen the nickname.
        """
        command = register_command(actor, self.presence, nickname, reference, chosen=chosen)
        if guest is None:
            return command
        was, user = guest.user, actor.user
        check_user_id(was, self.settings.name_chars_max)
        terms, grace = self.storefront.terms, self.settings.refresh_grace_seconds

        def decide(states: States) -> Sequence[Draft]:
            drafts = command.decide(states)
            if has_ended(draft.data for draft in drafts):
                return drafts
            check_guest(states, guest, user, grace)
            return [*drafts, *merge(states, was, user, terms)]

        reads = (*command.reads, f"user/{was}", cart_stream(was), cart_stream(user))
        return Command(actor.user, decide, command.result, reads=reads)

    def session_of(self, actor: Actor, signed_in: SignedIn | None = None) -> LocalSession:
        """Make a session of somebody, with the role that counts."""
        if signed_in is not None:
            actor.role = signed_in.role
        session = LocalSession(actor, self)
        if signed_in is not None:
            session.user = signed_in.user
        return session

    def connect(self, actor: Actor) -> None:
        """Count a session of a user who is known already."""
        self.presence.connect(actor.user, actor)
        self.supervisor.presence_changed(actor.user)

    def disconnect(self, actor: Actor, *, lost: bool = False) -> None:
        """Count a session less; one whose connection was lost may be back in a moment."""
        self.presence.disconnect(actor.user, actor, lost=lost)
        # To leave the hub is not to leave a match.
        if self._open:
            self.supervisor.presence_changed(actor.user)

    def start(self, work: Callable[..., Coroutine[Any, Any, None]], *args: object) -> None:
        """
        Run something in the hub's task group, from anywhere in the event loop.

        A protocol's callback is not a task, so it may not start one itself. What the work
        raises ends it alone, and is logged.
        """
        self._to_start.append(partial(contained, _name_of(work), work, *args))
        self._start_wake_up.set()

    async def _start_what_comes(self) -> None:
        while True:
            await self._start_wake_up.wait()
            self._start_wake_up = anyio.Event()
            while self._to_start:
                self._tasks.start_soon(self._to_start.popleft())

    async def drain(self) -> None:
        """Take no more commands, and finish those that were accepted."""
        self._open = False
        await self.storefront.processor.drain()
        await self.journal.drain()

    @property
    def is_open(self) -> bool:
        """True from entering the hub until leaving it."""
        return self._open

    @property
    def is_healthy(self) -> bool:
        """True while it is open and its store works."""
        return self._open and not self.journal.failed

    def _presence_changed(self, user_id: str, status: Status) -> None:
        if self._open:
            self._presence_signals.tell(user_id, status)

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
            self.journal, self.settings, self.ids, user_id, role, session, address, remote=remote
        )

    def _new_supervisor(self) -> MatchSupervisor:
        online = self.presence.is_connected
        return MatchSupervisor(
            self.journal, self.settings, self.ids, self._games, online, self.start
        )

    def _new_limit(self, what: str) -> RateLimit:
        s = self.settings
        if what == "checkouts":
            return rate_limit("sliding_window", s.checkout_limit, s.checkout_period, what=what)
        return rate_limit(s.message_limiter, s.message_limit, s.message_period, what=what)

    def _stop(self) -> None:
        self._open = False
        self._tasks.cancel_scope.cancel()


def check_required_roles(required: Mapping[str, str]) -> None:
    """Raise Invalid if an application asks for a role that there is not, or for nothing."""
    for command, role in required.items():
        if command not in COMMANDS or role not in ROLES:
            raise Invalid(f"required_roles is of commands and roles, not {command!r}: {role!r}.")


def check_user_id(user_id: object, chars_max: int) -> None:
    """Raise Invalid if it cannot be a user's id, which is a part of streams' names."""
    good = isinstance(user_id, str) and 0 < len(user_id) <= chars_max
    if not good or not str(user_id).isprintable() or "/" in str(user_id):
        raise Invalid(f"A user's id has 1 to {chars_max} printable characters and no slash.")


def stream_bytes_max(name_chars_max: int) -> int:
    """Return the longest name of a stream: two names of four bytes a character fit in."""
    return max(STREAM_BYTES_MAX, 8 * name_chars_max + 64)


def _name_of(work: Callable[..., object]) -> str:
    return str(getattr(work, "__qualname__", work))


def _open_store(url: str) -> Store:
    if url == "memory://":
        return MemoryStore()
    if "://" in url:
        raise Invalid(f"There is no store for {url!r}; use memory:// or the path of a file.")
    return SQLiteStore(url)


async def _close_store(store: Store) -> None:
    with anyio.CancelScope(shield=True):
        await Threads(1).run(store.close)
