"""Orders: the commands that place, return and change them, for one session."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from heapq import nsmallest

from msgspec import UNSET

from ...journal.actor import Actor
from ...journal.command import Command, nothing
from ...journal.decide.states import States
from ...journal.event import Draft, Event
from ...journal.link import Links
from ...journal.schedule import Schedule
from ...journal.shards import stream_shard, stream_shards
from ...money import Money
from ...permissions import check
from ...stream_names import user_stream
from ..carts.cart import cart_stream
from ..carts.totals import ShopTerms
from ..grants import SHOP_GRANTS
from . import commands, reconciliation
from .commands import ORDER_SCHEDULE
from .order import Order, OrderState, order_of, order_stream

__all__ = ["OPEN_ORDERS_MAX", "UserOrders"]

# Orders that an admin gets in one list, because each is a stream to load.
OPEN_ORDERS_MAX = 50


class UserOrders:
    """
    The orders, for one session; its methods return commands.

    Args:
        actor: the user of the session.
        terms: the terms of all carts of the hub.
    """

    __slots__ = ("_actor", "_terms", "_user")

    def __init__(self, actor: Actor, terms: ShopTerms) -> None:
        self._actor = actor
        self._user = actor.user
        self._terms = terms

    def place(self, payment: str, key: str) -> Command[Order]:
        """Place an order of the user's cart."""
        stream, terms, user = order_stream(self._actor.ids.new()), self._terms, self._user
        journal = self._actor.journal
        claimant = journal.nodes.me if journal.store.shared else UNSET

        def decide(states: States) -> Sequence[Draft]:
            drafts = commands.place(states, stream, user, terms, claimant)
            states.charge("checkouts", user)
            return drafts

        def result(states: States, events: Sequence[Event]) -> Order:
            # A key that was used before returns the order that it placed.
            placed = events[0].stream
            return order_of(placed, states.of(OrderState, placed))

        schedule = stream_shard(ORDER_SCHEDULE, stream)
        reads = (cart_stream(user), user_stream(user), schedule)
        return Command(
            user,
            decide,
            result,
            reads=reads,
            key=key,
            arguments=("checkout", payment),
            charges=(("checkouts", user),),
            creates=(stream,),
        )

    def show(self, order_id: str) -> Command[Order]:
        """Return an order to its buyer, or to an admin."""
        stream = order_stream(order_id)

        def result(states: States, events: Sequence[Event]) -> Order:
            return self._shown(states, stream)

        return Command(self._user, nothing, result, reads=(stream,))

    def own(self) -> Command[list[Order]]:
        """List the user's newest orders."""
        user, most = user_stream(self._user), self._actor.settings.page_max

        def result(states: States, events: Sequence[Event]) -> list[Order]:
            links = states.of(Links, user).links
            streams = [stream for stream in links if stream.startswith("order/")][-most:]
            return _orders_of(states, streams)

        return Command(self._user, nothing, result, reads=(user,))

    def open(self) -> Command[list[Order]]:
        """List the orders that wait for the payment provider, the oldest first."""

        # The first is an earlier release's.
        shards = (ORDER_SCHEDULE, *stream_shards(ORDER_SCHEDULE))

        def result(states: States, events: Sequence[Event]) -> list[Order]:
            # The ids of orders sort by the time when they were placed.
            due = {to for shard in shards for to in states.of(Schedule, shard).due}
            return _orders_of(states, nsmallest(OPEN_ORDERS_MAX, due))

        return Command(self._user, nothing, result, reads=shards)

    def refund(self, order_id: str, amount: Money | None, key: str) -> Command[Order]:
        """Begin to refund an order, or a part of it."""
        stream, refund = order_stream(order_id), self._actor.ids.new()
        payable = self._terms.payable

        def decide(states: States) -> Sequence[Draft]:
            return commands.begin_refund(states, stream, refund, amount, payable)

        return self._command(stream, decide, key, ("refund", order_id, amount))

    def cancel(self, order_id: str, key: str) -> Command[Order]:
        """Cancel a pending order."""
        stream, user, admin = order_stream(order_id), self._user, self._actor.role == "admin"

        def decide(states: States) -> Sequence[Draft]:
            return reconciliation.cancel_order(states, stream, user, admin=admin)

        return self._command(stream, decide, key, ("cancel_order", order_id))

    def settle(self, order_id: str, payment_id: str | None, key: str) -> Command[Order]:
        """Mark a pending order as paid."""
        stream = order_stream(order_id)

        def decide(states: States) -> Sequence[Draft]:
            return reconciliation.settle(states, stream, payment_id)

        return self._command(stream, decide, key, ("settle_order", order_id, payment_id))

    def _command(
        self,
        stream: str,
        decide: Callable[[States], Sequence[Draft]],
        key: str,
        arguments: tuple[object, ...],
    ) -> Command[Order]:
        def result(states: States, events: Sequence[Event]) -> Order:
            return order_of(stream, states.of(OrderState, stream))

        reads = (stream, stream_shard(ORDER_SCHEDULE, stream))
        return Command(self._user, decide, result, reads=reads, key=key, arguments=arguments)

    def _shown(self, states: States, stream: str) -> Order:
        state = states.of(OrderState, stream)
        owner = ("owner",) if state.terms().user == self._user else ()
        admin = ("admin",) if self._actor.role == "admin" else ()
        check(SHOP_GRANTS["shop.order"], *owner, *admin)
        return order_of(stream, state)


def _orders_of(states: States, streams: list[str]) -> list[Order]:
    states.need(streams)
    return [order_of(stream, states.of(OrderState, stream)) for stream in streams]
