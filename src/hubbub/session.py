"""One user's view of a hub."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from .chat.rooms.room import RoomState
from .chat.service import Chat
from .games.boards.board import BoardState
from .games.matches.match import MatchState
from .games.matches.supervisor import MatchSupervisor
from .games.service import Games
from .journal.actor import Actor
from .journal.allowance import Allowance
from .journal.event import Event, Signal, State
from .journal.journal import Journal
from .journal.link import Links
from .journal.live.topic import cut
from .journal.schedule import Schedule
from .operations.service import Operations
from .operations.stats import Meter
from .quotas import Quotas
from .service import check_limit, check_seq
from .shop.carts.cart import CartState
from .shop.catalog.coupon import CouponState
from .shop.catalog.product import Catalogue, ProductState
from .shop.orders.order import OrderState
from .shop.payments.sandbox import SandboxState
from .shop.service import Shop
from .shop.storefront import Storefront
from .users.account import AccountState
from .users.accounts import Accounts
from .users.presence import Presence
from .users.service import Users
from .users.user import User, UserState

__all__ = ["STREAMS", "LocalSession", "Session"]

# The kinds of stream there are, and what each folds into.
STREAMS: Mapping[str, type[State]] = {
    "room": RoomState,
    "direct": RoomState,
    "user": UserState,
    "account": AccountState,
    "index": Links,
    "match": MatchState,
    "board": BoardState,
    "product": ProductState,
    "catalogue": Catalogue,
    "coupon": CouponState,
    "cart": CartState,
    "order": OrderState,
    "sandbox": SandboxState,
    "agenda": Schedule,
}


class Session(Protocol):
    """
    One user's presence, in the process or over the network; all commands go through one.

    Args:
        chat: rooms and messages.
        games: matches, matchmaking and leaderboards.
        operations: how the hub is doing; for admins.
        shop: the catalogue, carts, checkout and orders.
        users: profiles and presence.
    """

    chat: Chat
    games: Games
    operations: Operations
    shop: Shop
    users: Users

    @property
    def user(self) -> User:
        """The user, as known when the session began."""

    def follow(
        self, stream: str, *, after: int | None = None
    ) -> AbstractAsyncContextManager[AsyncIterator[Event]]:
        """
        Follow a stream: what is there after a seq, then what is live, in one sequence.

        Args:
            stream: a stream's name, like ``room.stream``.
            after: the last seq that one has; None is from now on.

        Raises:
            NotFound: there is no such stream.
            NotAllowed: it is not for this user; also when that right ends later.
            Conflict: ``after`` is past the end: the history was reset.
            Closed: the hub is going.
        """

    def signals(self, stream: str) -> AbstractAsyncContextManager[AsyncIterator[Signal]]:
        """
        Listen to what is told to those who follow a stream just now, and is not kept.

        Args:
            stream: a stream's name.

        Raises:
            NotFound: there is no such stream.
            NotAllowed: it is not for this user; also when that right ends later.
            Closed: the hub is going.
        """

    async def read(self, stream: str, *, after: int = 0, limit: int = 100) -> list[Event]:
        """
        Read a stream's events after a seq, in order.

        Args:
            stream: a stream's name.
            after: the seq before the first event wanted.
            limit: 1 to 500; fewer are returned where they are larger together than the
                setting ``page_bytes_max``, and at least one.
        """


class Shared(Protocol):
    """What all sessions of a hub share."""

    accounts: Accounts
    supervisor: MatchSupervisor
    meter: Meter
    presence: Presence
    quotas: Quotas
    storefront: Storefront


class LocalSession:
    """A session in the hub's own process; see :class:`Session`."""

    __slots__ = ("_journal", "actor", "chat", "games", "operations", "shop", "user", "users")

    user: User

    def __init__(self, actor: Actor, hub: Shared) -> None:
        self.actor = actor
        self.chat = Chat(actor)
        self.games = Games(actor, hub.supervisor)
        self.shop = hub.storefront.shop(actor)
        self.operations = Operations(actor, hub.meter)
        self.users = Users(actor, hub.presence, hub.accounts)
        self._journal: Journal = actor.journal
        if actor.is_limited:
            allowance = Allowance(hub.quotas, actor.user, actor.address)
            for service in (self.chat, self.games, self.shop, self.users):
                service.allowance = allowance

    def follow(
        self, stream: str, *, after: int | None = None
    ) -> AbstractAsyncContextManager[AsyncIterator[Event]]:
        """Follow a stream; see :meth:`Session.follow`."""
        return self._journal.follow(self.actor.user, stream, after)

    def signals(self, stream: str) -> AbstractAsyncContextManager[AsyncIterator[Signal]]:
        """Listen to a stream's signals; see :meth:`Session.signals`."""
        return self._journal.signals(self.actor.user, stream)

    async def read(self, stream: str, *, after: int = 0, limit: int = 100) -> list[Event]:
        """Read a stream; see :meth:`Session.read`."""
        check_limit(limit, self.actor.settings.page_max)
        check_seq(after)
        await self.actor.execute(self._journal.check_command(self.actor.user, stream))
        bodies = await self._journal.read(stream, after, limit, by=self.actor.user)
        page = cut(bodies, self.actor.settings.page_bytes_max)
        return [self._journal.streams.decode(body) for body in page]
