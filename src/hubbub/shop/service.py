"""Shop: the catalogue, carts, checkout and orders."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from anyio import to_thread

from ..errors import PaymentDeclined
from ..journal.caller import Caller
from ..journal.command import Command, nothing
from ..journal.event import Draft, Event
from ..journal.link import Links
from ..journal.states import States
from ..money import Money
from ..permissions import check
from ..service import check_limit, command, query, slow_command, slow_query
from . import placing
from .cart import CartState
from .carts import Carts
from .coupon import Coupon, CouponState, coupon_of, coupon_stream, set_coupon
from .events import CouponSet, ProductSet
from .invoice import check_payment, invoice_html
from .order import Order, OrderState, order_of, order_stream
from .pricing import Terms
from .product import (
    CATALOGUE,
    Catalogue,
    Product,
    ProductState,
    product_of,
    product_stream,
    set_product,
)
from .till import Till

__all__ = ["Shop"]


class Shop(Carts):
    """
    The catalogue, carts, checkout and orders.

    Args:
        caller: whose commands these are.
        terms: what all carts of the hub have in common.
        till: where orders are paid.
    """

    name = "shop"

    __slots__ = ("_till",)

    def __init__(self, caller: Caller, terms: Terms, till: Till) -> None:
        super().__init__(caller, terms)
        self._till = till

    # The catalogue

    @query
    def products(self, *, after: str | None = None, limit: int = 50) -> Command[list[Product]]:
        """
        List products by their SKUs.

        Args:
            after: the last SKU that one has.
            limit: 1 to 500.
        """
        check_limit(limit, self._caller.settings.page_max)

        def result(states: States, events: Sequence[Event]) -> list[Product]:
            skus = states.of(Catalogue, CATALOGUE).page(after, limit)
            streams = [f"product/{sku}" for sku in skus]
            states.need(streams)
            return [product_of(stream, states.of(ProductState, stream)) for stream in streams]

        return Command(self._by, nothing, result, reads=(CATALOGUE,))

    @query
    def product(self, sku: str) -> Command[Product]:
        """
        Look a product up.

        Raises:
            NotFound: there is none.
        """
        stream = product_stream(sku)

        def result(states: States, events: Sequence[Event]) -> Product:
            return product_of(stream, states.of(ProductState, stream))

        return Command(self._by, nothing, result, reads=(stream,))

    @command
    def set_product(
        self,
        sku: str,
        name: str,
        price: Money,
        *,
        stock: int | None = None,
        category: str | None = None,
    ) -> Command[Product]:
        """
        Make a product, or change it: it is as given, whatever it was. For admins.

        Args:
            sku: 1 to 64 ASCII characters, without a space or a slash.
            name: up to 100 characters in one line.
            price: of one, up to 10,000,000,000 of the currency's smallest unit.
            stock: how many can be sold from now on, besides those that are put aside for
                orders that are being paid; None if there are always enough.
            category: what taxes go by.

        Raises:
            NotAllowed: you are no admin.
            Invalid: an argument is outside its limits.
        """
        stream, given = product_stream(sku), ProductSet(name, price, stock, category)
        chars_max = self._caller.settings.name_chars_max

        def decide(states: States) -> Sequence[Draft]:
            return set_product(states, sku, given, chars_max)

        def result(states: States, events: Sequence[Event]) -> Product:
            return product_of(stream, states.of(ProductState, stream))

        return Command(self._by, decide, result, reads=(stream, CATALOGUE))

    @command
    def set_coupon(
        self,
        code: str,
        *,
        percent: int | None = None,
        amount: Money | None = None,
        minimum: Money | None = None,
        once: bool = True,
        expires_at: datetime | None = None,
    ) -> Command[Coupon]:
        """
        Make a coupon, or change it. For admins.

        Args:
            code: 1 to 50 letters, digits, - or _.
            percent: how much it takes off, 1 to 100; or
            amount: how much it takes off.
            minimum: the least subtotal with which it may be used.
            once: True if each user may use it for one order only.
            expires_at: until when it may be used; a time with a time zone.

        Raises:
            NotAllowed: you are no admin.
            Invalid: an argument is outside its limits.
        """
        stream = coupon_stream(code)
        given = CouponSet(percent, amount, minimum, once, expires_at)

        def decide(states: States) -> Sequence[Draft]:
            return set_coupon(stream, given)

        def result(states: States, events: Sequence[Event]) -> Coupon:
            return coupon_of(stream, states.of(CouponState, stream))

        return Command(self._by, decide, result, reads=(stream,))

    # Orders

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
        """
        check_payment(payment, self._caller.settings.text_chars_max)
        await self._look_up_cart()
        order = await self._till.place(self._place_command(payment, key), payment)
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
        user, most = f"user/{self._by}", self._caller.settings.page_max

        def result(states: States, events: Sequence[Event]) -> list[Order]:
            links = states.of(Links, user).links
            streams = [stream for stream in links if stream.startswith("order/")][-most:]
            states.need(streams)
            return [order_of(one, states.of(OrderState, one)) for one in streams]

        return Command(self._by, nothing, result, reads=(user,))

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
        stream, refund = order_stream(order_id), self._caller.ids.new()

        def decide(states: States) -> Sequence[Draft]:
            return placing.begin_refund(states, stream, refund, amount)

        def result(states: States, events: Sequence[Event]) -> Order:
            return order_of(stream, states.of(OrderState, stream))

        arguments = ("refund", order_id, amount)
        reads = (stream, placing.AGENDA)
        command = Command(self._by, decide, result, reads=reads, key=key, arguments=arguments)
        return await self._till.place(command, None)

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
        return await to_thread.run_sync(invoice_html, order, locale)

    def _place_command(self, payment: str, key: str) -> Command[Order]:
        stream, terms, by = order_stream(self._caller.ids.new()), self._terms, self._by

        def decide(states: States) -> Sequence[Draft]:
            return placing.place(states, stream, by, terms)

        def result(states: States, events: Sequence[Event]) -> Order:
            # A key that was used before has placed another.
            placed = events[0].stream
            return order_of(placed, states.of(OrderState, placed))

        reads = (self._stream, stream, f"user/{by}", placing.AGENDA)
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
        check("shop.order", *owner, *(("admin",) if self._caller.role == "admin" else ()))
        return order_of(stream, state)
