"""Carts at prices that come from the application: they are looked up before it is decided."""

from __future__ import annotations

import anyio
import pytest

from hubbub import Conflict, Hubbub, NotFound, Offer, Session
from tests.shop.catalog.test_price_lookup import Source
from tests.shop.virtual_shop import Sell, usd


def test_a_price_that_has_changed_is_accepted_before_checkout(sell: Sell) -> None:
    source = Source()

    async def story(hub: Hubbub, ann: Session) -> None:
        await anyio.sleep(10)
        source.offers["pen"] = Offer("Pen", usd("6.00"))
        with pytest.raises(Conflict, match=r"now costs 6\.00 USD"):
            await ann.shop.checkout(payment="pm_card_visa", key="1")
        cart = await ann.shop.cart()
        accepted = await ann.shop.accept_prices()
        order = await ann.shop.checkout(payment="pm_card_visa", key="1")

        assert [line.new_price for line in cart.lines] == [usd("6.00")]
        assert (accepted.subtotal, order.subtotal) == (usd("12.00"), usd("12.00"))

    sell(story, prices=source)


def test_a_quantity_is_set_at_the_price_of_now(sell: Sell) -> None:
    source = Source(boat=Offer("Boat", usd("7.00"), stock=1))

    async def story(hub: Hubbub, ann: Session) -> None:
        cart = await ann.shop.set_quantity("boat", 3)

        assert [(line.total, line.stock) for line in cart.lines][1] == (usd("21.00"), 1)

    sell(story, prices=source)


def test_what_is_not_sold_any_more_is_taken_out_before_checkout(sell: Sell) -> None:
    source = Source(boat=Offer("Boat", usd("7.00")))

    async def story(hub: Hubbub, ann: Session) -> None:
        await ann.shop.add_item("boat")
        await anyio.sleep(10)
        del source.offers["boat"]
        cart = await ann.shop.cart()
        with pytest.raises(NotFound, match="We do not sell 'boat'"):
            await ann.shop.checkout(payment="pm_card_visa", key="1")
        await ann.shop.remove_item("boat")
        order = await ann.shop.checkout(payment="pm_card_visa", key="1")

        assert [line.sku for line in cart.lines] == ["pen", "boat"]
        assert order.status == "paid"

    sell(story, prices=source)
