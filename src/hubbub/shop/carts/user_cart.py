"""A user's own cart: its commands, and the look-up of prices before them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial

from ...errors import NotFound
from ...journal.actor import Actor
from ...journal.command import Command, nothing
from ...journal.decide.states import States
from ...journal.event import Draft, Event
from ..catalog.price_lookup import Prices
from ..catalog.product import is_sku, known_product_stream
from . import commands
from .cart import Cart, CartState, cart_of, cart_stream, shown_with
from .totals import ShopTerms

__all__ = ["UserCart"]

Decide = Callable[[States], Sequence[Draft]]


class UserCart:
    """
    The cart of a session's user; its methods return commands.

    If the application has a price source, the prices are looked up before the hub decides a
    command that uses or returns a price.

    Args:
        actor: the user of the session.
        terms: the terms of all carts of the hub.
        prices: the prices of the application's price source; None if the catalogue has the prices.
    """

    __slots__ = ("_actor", "_prices", "_stream", "_terms", "_user")

    def __init__(self, actor: Actor, terms: ShopTerms, prices: Prices | None) -> None:
        self._actor = actor
        self._user = actor.user
        self._stream = cart_stream(actor.user)
        self._terms = terms
        self._prices = prices

    def show(self) -> Command[Cart]:
        """Return the cart."""
        command = self._command(partial(_touch, stream=self._stream))
        if self._prices is not None:
            command.before = self._look_up_what_is_sold
        return command

    def add(self, sku: str, quantity: int, key: str | None) -> Command[Cart]:
        """Add pieces of a product."""
        decide = partial(
            commands.add, user=self._user, sku=sku, quantity=quantity, terms=self._terms
        )
        return self._product_command(decide, sku, key, ("add_item", sku, quantity))

    def remove(self, sku: str, quantity: int | None, key: str | None) -> Command[Cart]:
        """Remove pieces of a product."""
        decide = partial(
            commands.remove, user=self._user, sku=sku, quantity=quantity, terms=self._terms
        )
        return self._command(decide, key=key, arguments=("remove_item", sku, quantity))

    def set_quantity(self, sku: str, quantity: int) -> Command[Cart]:
        """Set the quantity of a product."""
        decide = partial(
            commands.set_quantity, user=self._user, sku=sku, quantity=quantity, terms=self._terms
        )
        return self._product_command(decide, sku)

    def accept_prices(self) -> Command[Cart]:
        """Accept the current prices."""
        command = self._own_command(commands.accept_prices)
        if self._prices is not None:
            command.before = self.look_up
        return command

    def apply_coupon(self, code: str) -> Command[Cart]:
        """Apply a coupon."""
        return self._own_command(commands.apply_coupon, code=code)

    def remove_coupon(self) -> Command[Cart]:
        """Remove the coupon."""
        return self._own_command(commands.remove_coupon)

    def set_country(self, country: str | None) -> Command[Cart]:
        """Set the country whose tax applies."""
        return self._own_command(commands.set_country, country=country)

    def clear(self) -> Command[Cart]:
        """Empty the cart."""
        return self._own_command(commands.clear)

    async def look_up(self) -> None:
        """
        Look up the current prices of the cart's products, if there is a price source.

        Raises:
            NotFound: one of the products is no longer for sale.
            PriceUnavailable: the price source does not answer.
            Overloaded: too many look-ups of this user are waiting.
        """
        if self._prices is not None:
            skus = await self._actor.journal.execute(self._skus_command())
            await self._prices.look_up(skus, self._user)

    async def _look_up_what_is_sold(self) -> None:
        # Show a product that is no longer for sale as it was added, so that it can be removed.
        with suppress(NotFound):
            await self.look_up()

    def _product_command(
        self, decide: Decide, sku: str, key: str | None = None, arguments: object = None
    ) -> Command[Cart]:
        command = self._command(decide, sku, key=key, arguments=arguments)
        if self._prices is not None:
            command.before = partial(self._prices.look_up, [sku], self._user)
        return command

    def _own_command(
        self, decide: Callable[..., Sequence[Draft]], **arguments: object
    ) -> Command[Cart]:
        return self._command(partial(decide, user=self._user, terms=self._terms, **arguments))

    def _command(
        self,
        decide: Decide,
        sku: str = "",
        *,
        key: str | None = None,
        arguments: object = None,
    ) -> Command[Cart]:
        # The decision refuses an invalid SKU, and nothing of it is kept in memory.
        looks = (known_product_stream(sku),) if is_sku(sku) else ()
        # Thousands may have a product in their carts; a checkout holds it, and checks it again.
        return Command(
            self._user,
            decide,
            self._shown,
            reads=(self._stream,),
            looks=looks,
            key=key,
            arguments=arguments,
        )

    def _shown(self, states: States, events: Sequence[Event]) -> Cart:
        return cart_of(states, self._stream, self._terms)

    def _skus_command(self) -> Command[list[str]]:
        stream = self._stream

        def result(states: States, events: Sequence[Event]) -> list[str]:
            return list(states.of(CartState, stream).items)

        return Command(self._user, nothing, result, reads=(stream,))


def _touch(states: States, stream: str) -> Sequence[Draft]:
    states.need(shown_with(states.of(CartState, stream)))
    return ()
