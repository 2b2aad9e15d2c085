"""Carts where the application's own prices are looked up, in the process and over the network."""

from __future__ import annotations

import anyio
import pytest

from hubbub import NotFound, Offer
from tests.session.selling import CARD, usd
from tests.session.worlds import OpenWorld


class Prices:
    """The application's: a look-up waits for the others that begin with it."""

    def __init__(self, **prices: str) -> None:
        self.prices = prices
        self.begun = 0

    async def look_up(self, sku: str) -> Offer:
        """Tell what a product is sold for now."""
        self.begun += 1
        await anyio.lowlevel.checkpoint()
        if sku not in self.prices:
            raise NotFound(f"We do not sell {sku!r}.")
        return Offer(sku.title(), usd(self.prices[sku]))


async def test_a_cart_is_filled_at_the_applications_prices(world: OpenWorld) -> None:
    async with world(prices=Prices(pen="2.00", boat="700.00")) as here:
        ann = await here.session("Ann")
        await ann.shop.add_item("pen")
        await ann.shop.set_quantity("boat", 2)
        cart = await ann.shop.cart()
        order = await ann.shop.checkout(payment=CARD, key="1")

    assert {line.sku: line.total for line in cart.lines} == {
        "pen": usd("2.00"),
        "boat": usd("1400.00"),
    }
    assert order.subtotal == usd("1402.00")


async def test_what_the_application_does_not_sell_is_refused(world: OpenWorld) -> None:
    async with world(prices=Prices()) as here:
        ann = await here.session("Ann")
        with pytest.raises(NotFound, match="We do not sell 'pen'"):
            await ann.shop.add_item("pen")

        assert (await ann.shop.cart()).lines == []


async def test_a_new_price_is_accepted(world: OpenWorld) -> None:
    prices = Prices(pen="2.00")
    async with world(prices=prices) as here:
        ann = await here.session("Ann")
        await ann.shop.add_item("pen", 3)
        prices.prices["pen"] = "3.00"
        here.clock.passed += 60
        seen = (await ann.shop.cart()).lines[0].new_price
        cart = await ann.shop.accept_prices()

    assert (seen, cart.subtotal) == (usd("3.00"), usd("9.00"))


async def test_products_added_at_once_are_all_counted(world: OpenWorld) -> None:
    async with world(prices=Prices(pen="2.00")) as here:
        ann = await here.session("Ann")
        async with anyio.create_task_group() as tasks:
            for _ in range(5):
                tasks.start_soon(ann.shop.add_item, "pen")
        cart = await ann.shop.cart()

    assert [line.quantity for line in cart.lines] == [5]
