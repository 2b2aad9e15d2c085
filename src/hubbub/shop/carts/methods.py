"""Carts: the part of the shop that needs no payment."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from ...journal.actor import Actor
from ...journal.command import Command
from ...journal.decide.states import States
from ...journal.event import Draft, Event
from ...service import Service, command, query
from ..catalog.product import is_sku
from . import commands as filling
from .cart import Cart, CartState, cart_of, cart_stream, shown_with
from .totals import ShopTerms

__all__ = ["Carts"]

Decide = Callable[[States], Sequence[Draft]]


class Carts(Service):
    """
    One's own cart.

    Args:
        caller: whose commands these are.
        terms: what all carts of the hub have in common.
    """

    __slots__ = ("_actor", "_by", "_stream", "_terms")

    def __init__(self, actor: Actor, terms: ShopTerms) -> None:
        super().__init__(actor.execute, actor.refused)
        self._actor = actor
        self._by = actor.user
        self._stream = cart_stream(actor.user)
        self._terms = terms

    @query
    def cart(self) -> Command[Cart]:
        """Show one's cart, and what it comes to."""
        return self._cart_command(partial(_touch, stream=self._stream))

    @command
    def add_item(self, sku: str, quantity: int = 1, *, key: str | None = None) -> Command[Cart]:
        """
        Put so many more of a product into one's cart.

        Args:
            sku: a product's SKU.
            quantity: 1 to 1,000; there may be up to 1,000 of each, and 100 products.
            key: makes it exactly-once.

        Raises:
            NotFound: there is no such product.
            Invalid: the quantity is outside its limits.
            Conflict: the cart is full, or has another currency.
        """
        decide = partial(filling.add, user=self._by, sku=sku, quantity=quantity, terms=self._terms)
        return self._cart_command(decide, sku, key=key, arguments=("add_item", sku, quantity))

    @command
    def remove_item(
        self, sku: str, quantity: int | None = None, *, key: str | None = None
    ) -> Command[Cart]:
        """
        Take a product out of one's cart.

        Args:
            sku: a product's SKU.
            quantity: how many, by default all.
            key: makes it exactly-once.

        Raises:
            NotFound: it is not in the cart.
        """
        decide = partial(
            filling.remove, user=self._by, sku=sku, quantity=quantity, terms=self._terms
        )
        return self._cart_command(decide, key=key, arguments=("remove_item", sku, quantity))

    @command
    def set_quantity(self, sku: str, quantity: int) -> Command[Cart]:
        """
        Have so many of a product in one's cart.

        Args:
            sku: a product's SKU.
            quantity: 0 to 1,000; 0 takes it out.

        Raises:
            NotFound: there is no such product.
            Invalid: the quantity is outside its limits.
            Conflict: the cart is full, or has another currency.
        """
        decide = partial(
            filling.set_quantity, user=self._by, sku=sku, quantity=quantity, terms=self._terms
        )
        return self._cart_command(decide, sku)

    @command
    def accept_prices(self) -> Command[Cart]:
        """Take what is in one's cart at what it costs now."""
        return self._cart_command(partial(filling.accept_prices, user=self._by, terms=self._terms))

    @command
    def apply_coupon(self, code: str) -> Command[Cart]:
        """
        Use a coupon for one's cart; a cart has one.

        Args:
            code: upper and lower case are the same.

        Raises:
            NotFound: there is no such coupon.
            Conflict: it has expired, was used before, or is for more than is in the cart.
        """
        decide = partial(filling.apply_coupon, user=self._by, code=code, terms=self._terms)
        return self._cart_command(decide)

    @command
    def remove_coupon(self) -> Command[Cart]:
        """Use no coupon for one's cart."""
        return self._cart_command(partial(filling.remove_coupon, user=self._by, terms=self._terms))

    @command
    def set_country(self, country: str | None) -> Command[Cart]:
        """
        Have one's cart taxed for a country.

        Args:
            country: two letters of ISO 3166, like DE; None if it is not known.
        """
        decide = partial(filling.set_country, user=self._by, country=country, terms=self._terms)
        return self._cart_command(decide)

    @command
    def clear(self) -> Command[Cart]:
        """Empty one's cart."""
        return self._cart_command(partial(filling.clear, user=self._by, terms=self._terms))

    def _cart_command(
        self,
        decide: Decide,
        sku: object = None,
        *,
        key: str | None = None,
        arguments: object = None,
    ) -> Command[Cart]:
        stream, terms = self._stream, self._terms

        def result(states: States, events: Sequence[Event]) -> Cart:
            return cart_of(states, stream, terms)

        # What is no SKU is refused by the decision, and nothing of it is kept in memory.
        reads = (stream, f"product/{sku}") if is_sku(sku) else (stream,)
        return Command(self._by, decide, result, reads=reads, key=key, arguments=arguments)


def _touch(states: States, stream: str) -> Sequence[Draft]:
    states.need(shown_with(states.of(CartState, stream)))
    return ()
