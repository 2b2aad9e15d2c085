"""A user's own cart: the commands on it, and the look-up of prices that they need."""

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
    The cart of a session's user; its methods make the commands.

    Where prices come from the application, they are looked up before the hub decides a
    command that takes or shows a price.

    Args:
        actor: the user whose cart it is.
        terms: what all carts of the hub have in common.
        prices: what is known of the application's prices; None if the catalogue has them.
    """

    __slots__ = ("_actor", "_prices", "_stream", "_terms", "_user")

    def __init__(self, actor: Actor, terms: ShopTerms, prices: Prices | None) -> None:
        self._actor = actor
        self._user = actor.user
        self._stream = cart_stream(actor.user)
        self._terms = terms
        self._prices = prices

    def show(self) -> Command[Cart]:
        """Show the cart."""
        command = self._command(partial(_touch, stream=self._stream))
        if self._prices is not None:
            command.before = self._look_up_what_is_sold
        return command

    def add(self, sku: str, quantity: int, key: str | None) -> Command[Cart]:
        """Put more of a product into it."""
        decide = partial(
            commands.add, user=self._user, sku=sku, quantity=quantity, terms=self._terms
        )
        return self._product_command(decide, sku, key, ("add_item", sku, quantity))

    def remove(self, sku: str, quantity: int | None, key: str | None) -> Command[Cart]:
        """Take a product out of it."""
        decide = partial(
            commands.remove, user=self._user, sku=sku, quantity=quantity, terms=self._terms
        )
        return self._command(decide, key=key, arguments=("remove_item", sku, quantity))

    def set_quantity(self, sku: str, quantity: int) -> Command[Cart]:
        """Have so many of a product in it."""
        decide = partial(
            commands.set_quantity, user=self._user, sku=sku, quantity=quantity, terms=self._terms
        )
        return self._product_command(decide, sku)

    def accept_prices(self) -> Command[Cart]:
        """Take what is in it at what it costs now."""
        command = self._own_command(commands.accept_prices)
        if self._prices is not None:
            command.before = self.look_up
        return command

    def apply_coupon(self, code: str) -> Command[Cart]:
        """Use a coupon for it."""
        return self._own_command(commands.apply_coupon, code=code)

    def remove_coupon(self) -> Command[Cart]:
        """Use no coupon for it."""
        return self._own_command(commands.remove_coupon)

    def set_country(self, country: str | None) -> Command[Cart]:
        """Have it taxed for a country."""
        return self._own_command(commands.set_country, country=country)

    def clear(self) -> Command[Cart]:
        """Empty it."""
        return self._own_command(commands.clear)

    async def look_up(self) -> None:
        """
        Have fresh prices of what is in the cart, where they come from the application.

        Raises:
            NotFound: one of the products is not sold.
            PriceUnavailable: the source does not answer.
            Overloaded: too many look-ups of this user are waiting.
        """
        if self._prices is not None:
            skus = await self._actor.journal.execute(self._skus_command())
            await self._prices.look_up(skus, self._user)

    async def _look_up_what_is_sold(self) -> None:
        # What is not sold any more is shown as it was added, so that it can be taken out.
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
        stream, terms = self._stream, self._terms

        def result(states: States, events: Sequence[Event]) -> Cart:
            return cart_of(states, stream, terms)

        # What is no SKU is refused by the decision, and nothing of it is kept in memory.
        reads = (stream, known_product_stream(sku)) if is_sku(sku) else (stream,)
        return Command(self._user, decide, result, reads=reads, key=key, arguments=arguments)

    def _skus_command(self) -> Command[list[str]]:
        stream = self._stream

        def result(states: States, events: Sequence[Event]) -> list[str]:
            return list(states.of(CartState, stream).items)

        return Command(self._user, nothing, result, reads=(stream,))


def _touch(states: States, stream: str) -> Sequence[Draft]:
    states.need(shown_with(states.of(CartState, stream)))
    return ()
