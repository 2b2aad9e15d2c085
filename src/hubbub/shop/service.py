"""Shop: the catalogue, carts, checkout and orders."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import islice

from anyio import to_thread

from ..errors import PaymentDeclined
from ..journal.actor import Actor
from ..journal.command import Command, nothing
from ..journal.decide.states import States
from ..journal.event import Draft, Event
from ..journal.link import Links
from ..journal.schedule import Schedule
from ..money import Money
from ..permissions import check
from ..service import query, slow_command, slow_query
from .carts.cart import CartState
from .carts.totals import ShopTerms
from .catalog.products import Products
from .orders import commands as placing
from .orders import reconciliation
from .orders.invoice import check_payment, invoice_html
from .orders.order import Order, OrderState, order_of, order_stream
from .payments.processor import PaymentProcessor

__all__ = ["OPEN_ORDERS_MAX", "Shop"]

# Of those that an admin is shown: an order is a stream to load.
OPEN_ORDERS_MAX = 50


class Shop(Products):
    """
    The catalogue, carts, checkout and orders.

    Args:
        caller: whose commands these are.
        terms: what all carts of the hub have in common.
        till: where orders are paid.
    """

    name = "shop"

    __slots__ = ("_processor",)

    def __init__(self, actor: Actor, terms: ShopTerms, processor: PaymentProcessor) -> None:
        super().__init__(actor, terms)
        self._processor = processor

    @slow_command
    async def checkout(self, *, payment: str, key: str) -> Order:
        """
        Buy what is in one's cart.

        The order is placed, and its stock put aside, at once; then it is paid, whether the
        caller waits for that or not. A key that was used before gives the same order again.

        Args:
            payment: what pays, as the payment provider names it: a token of its, or one of
                the sandbox's test cards.
            key: makes it exactly-once.

        Returns:
            The order, paid; or pending, if the provider does not answer for 30 seconds: then
            the hub goes on with it.

        Raises:
            Conflict: the cart is empty, a price has changed, the coupon is not good, or
                another checkout is under way.
            OutOfStock: there are fewer left.
            PaymentDeclined: nothing was charged, and the cart is as it was.
            RateLimited: you have begun `checkout_limit` checkouts in `checkout_period`.
            Overloaded: too many orders are being paid.
        """
        check_payment(payment, self._actor.settings.text_chars_max)
        await self._look_up_cart()
        order = await self._processor.place(self._place_command(payment, key), payment)
        if order.status == "declined":
            raise PaymentDeclined(order.reason or "The payment was declined.")
        return order

    @query
    def order(self, order_id: str) -> Command[Order]:
        """
        Look an order of one's own up; an admin may look at all.

        Raises:
            NotFound: there is no such order.
            NotAllowed: it is somebody else's.
        """
        stream = order_stream(order_id)

        def result(states: States, events: Sequence[Event]) -> Order:
            return self._shown(states, stream)

        return Command(self._by, nothing, result, reads=(stream,))

    @query
    def orders(self) -> Command[list[Order]]:
        """List one's own orders, the newest 500, the first of them first."""
        user, most = f"user/{self._by}", self._actor.settings.page_max

        def result(states: States, events: Sequence[Event]) -> list[Order]:
            links = states.of(Links, user).links
            streams = [stream for stream in links if stream.startswith("order/")][-most:]
            states.need(streams)
            return [order_of(one, states.of(OrderState, one)) for one in streams]

        return Command(self._by, nothing, result, reads=(user,))

    @query
    def open_orders(self) -> Command[list[Order]]:
        """
        List orders that wait for the payment provider, up to 50, the oldest first. For admins.

        Their payment or a refund is pending, or they were ended by hand and the provider has
        not said what became of their payment.

        Raises:
            NotAllowed: you are no admin.
        """

        def result(states: States, events: Sequence[Event]) -> list[Order]:
            # An order is put into the agenda when it is placed, and stays where it is.
            streams = list(islice(states.of(Schedule, placing.ORDER_SCHEDULE).due, OPEN_ORDERS_MAX))
            states.need(streams)
            return [order_of(one, states.of(OrderState, one)) for one in streams]

        return Command(self._by, nothing, result, reads=(placing.ORDER_SCHEDULE,))

    @slow_command
    async def refund(self, order_id: str, *, key: str, amount: Money | None = None) -> Order:
        """
        Give back what was paid for an order. For admins.

        Args:
            order_id: an order's id.
            key: makes it exactly-once.
            amount: how much; by default all that is left.

        Returns:
            The order; the refund may still be pending, if the provider does not answer.

        Raises:
            NotAllowed: you are no admin.
            NotFound: there is no such order.
            Conflict: it was not paid, or less is left than that.
        """
        stream, refund = order_stream(order_id), self._actor.ids.new()

        def decide(states: States) -> Sequence[Draft]:
            return placing.begin_refund(states, stream, refund, amount)

        arguments = ("refund", order_id, amount)
        return await self._processor.place(
            self._order_command(stream, decide, key, arguments), None
        )

    @slow_command
    async def cancel_order(self, order_id: str, *, key: str) -> Order:
        """
        Cancel a pending order, whose payment the payment provider does not decide.

        The order is declined and its stock put back at once, and the buyer can check out
        again. What the provider has taken for it, or still takes, is voided or refunded.

        Args:
            order_id: an order's id: any for an admin; for the buyer, once `reserved_until`
                has passed.
            key: makes it exactly-once.

        Returns:
            The order, ``declined``; its `reconciliation` is ``pending`` until the provider
            has answered.

        Raises:
            NotFound: there is no such order.
            NotAllowed: it is somebody else's.
            Conflict: it is not pending, or you have to wait for `reserved_until`.
        """
        stream, by, admin = order_stream(order_id), self._by, self._actor.role == "admin"

        def decide(states: States) -> Sequence[Draft]:
            return reconciliation.cancel_order(states, stream, by, admin=admin)

        return await self._processor.begin(
            self._order_command(stream, decide, key, ("cancel_order", order_id))
        )

    @slow_command
    async def settle_order(
        self, order_id: str, *, key: str, payment_id: str | None = None
    ) -> Order:
        """
        Mark a pending order as paid, when the payment provider does not say so. For admins.

        What else the provider has taken for this order, or still takes, is voided or
        refunded, so that the buyer pays once.

        Args:
            order_id: an order's id.
            key: makes it exactly-once.
            payment_id: the payment, as you have seen it at the provider; None if it was paid
                in another way, like cash: then `refund` cannot give it back.

        Returns:
            The order, ``paid``; its `reconciliation` is ``pending`` until the provider has
            answered.

        Raises:
            NotAllowed: you are no admin.
            NotFound: there is no such order.
            Invalid: that can be no payment's id.
            Conflict: the order is not pending.
        """
        stream = order_stream(order_id)

        def decide(states: States) -> Sequence[Draft]:
            return reconciliation.settle(states, stream, payment_id)

        return await self._processor.begin(
            self._order_command(stream, decide, key, ("settle_order", order_id, payment_id))
        )

    @slow_query
    async def invoice(self, order_id: str, *, locale: str = "en_US") -> str:
        """
        Write an invoice, as a page of HTML without scripts or links.

        Args:
            order_id: an order that was paid, of one's own; an admin may see all.
            locale: how money and times are written, like ``de_DE``.

        Raises:
            NotFound: there is no such order.
            NotAllowed: it is somebody else's.
            Conflict: it was not paid.
            Invalid: there is no such locale.
        """
        order = await self.order(order_id)
        # What a place writes like is read from a file.
        limiter = self._processor.invoice_threads
        return await to_thread.run_sync(invoice_html, order, locale, limiter=limiter)

    def _order_command(
        self,
        stream: str,
        decide: Callable[[States], Sequence[Draft]],
        key: str,
        arguments: tuple[object, ...],
    ) -> Command[Order]:
        def result(states: States, events: Sequence[Event]) -> Order:
            return order_of(stream, states.of(OrderState, stream))

        reads = (stream, placing.ORDER_SCHEDULE)
        return Command(self._by, decide, result, reads=reads, key=key, arguments=arguments)

    def _place_command(self, payment: str, key: str) -> Command[Order]:
        stream, terms, by = order_stream(self._actor.ids.new()), self._terms, self._by

        def decide(states: States) -> Sequence[Draft]:
            drafts = placing.place(states, stream, by, terms)
            states.charge("checkouts", by)
            return drafts

        def result(states: States, events: Sequence[Event]) -> Order:
            # A key that was used before has placed another.
            placed = events[0].stream
            return order_of(placed, states.of(OrderState, placed))

        reads = (self._stream, stream, f"user/{by}", placing.ORDER_SCHEDULE)
        arguments = ("checkout", payment)
        return Command(by, decide, result, reads=reads, key=key, arguments=arguments)

    async def _look_up_cart(self) -> None:
        """Have the prices of what is in the cart; here they are those of the catalogue."""

    def _skus(self) -> Command[Iterable[str]]:
        stream = self._stream

        def result(states: States, events: Sequence[Event]) -> Iterable[str]:
            return list(states.of(CartState, stream).items)

        return Command(self._by, nothing, result, reads=(stream,))

    def _shown(self, states: States, stream: str) -> Order:
        state = states.of(OrderState, stream)
        owner = ("owner",) if state.terms().user == self._by else ()
        check("shop.order", *owner, *(("admin",) if self._actor.role == "admin" else ()))
        return order_of(stream, state)
