from __future__ import annotations

import pytest

import hubbub
from hubbub import FlatTax, Invalid, Settings
from hubbub.shop.runtime import Storefront
from hubbub.shop.service import Shop
from tests.shop.bank import Bank
from tests.shop.catalog.test_price_lookup import Source


async def test_there_is_one_shop_wherever_prices_come_from() -> None:
    async with hubbub.open("memory://") as hub, hub.session("ann") as ann:
        plain = type(ann.shop)
    async with hubbub.open("memory://", prices=Source()) as hub, hub.session("ann") as ann:
        priced = type(ann.shop)

    assert (plain, priced) == (Shop, Shop)


async def test_a_shop_has_the_terms_it_was_given() -> None:
    tax, settings = FlatTax("0.2"), Settings(currency="JPY", cart_lines_max=7)
    async with (
        hubbub.open("memory://", tax=tax, payments=Bank(), settings=settings) as hub,
        hub.session("ann") as ann,
    ):
        cart, terms = await ann.shop.cart(), hub.runtime(Storefront).terms

    assert (terms.tax, terms.lines_max) == (tax, 7)
    assert str(cart.total) == "0 JPY"


async def test_a_hub_has_a_currency_that_there_is() -> None:
    with pytest.raises(Invalid, match="ISO 4217"):
        async with hubbub.open("memory://", settings=Settings(currency="gold")):
            pass
