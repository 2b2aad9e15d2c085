"""The shop where prices come from the application: they are looked up before it is decided."""

from __future__ import annotations

from contextlib import suppress

from ...errors import NotFound
from ...journal.actor import Actor
from ...service import slow_command, slow_query
from ..carts.cart import Cart
from ..carts.totals import ShopTerms
from ..payments.processor import PaymentProcessor
from ..service import Shop
from .price_lookup import Prices

__all__ = ["PricedShop"]


class PricedShop(Shop):
    """
    The same shop, with prices that come from a :class:`hubbub.PriceSource`.

    Args:
        caller: whose commands these are.
        terms: what all carts of the hub have in common.
        till: where orders are paid.
        prices: what is known of the application's prices.
    """

    __slots__ = ("_prices",)

    def __init__(
        self, actor: Actor, terms: ShopTerms, processor: PaymentProcessor, prices: Prices
    ) -> None:
        super().__init__(actor, terms, processor)
        self._prices = prices

    @slow_query
    async def cart(self) -> Cart:
        """Show one's cart, with what its products cost now."""
        # What is not sold any more is shown as it was added, so that it can be taken out.
        with suppress(NotFound):
            await self._look_up_cart()
        return await super().cart()

    @slow_command
    async def add_item(self, sku: str, quantity: int = 1, *, key: str | None = None) -> Cart:
        """Put so many more of a product into one's cart; see :meth:`Shop.add_item`."""
        await self._prices.look_up([sku], self._by)
        return await super().add_item(sku, quantity, key=key)

    @slow_command
    async def set_quantity(self, sku: str, quantity: int) -> Cart:
        """Have so many of a product in one's cart; see :meth:`Shop.set_quantity`."""
        await self._prices.look_up([sku], self._by)
        return await super().set_quantity(sku, quantity)

    @slow_command
    async def accept_prices(self) -> Cart:
        """Take what is in one's cart at what it costs now."""
        await self._look_up_cart()
        return await super().accept_prices()

    async def _look_up_cart(self) -> None:
        skus = await self._actor.journal.execute(self._skus())
        await self._prices.look_up(skus, self._by)
