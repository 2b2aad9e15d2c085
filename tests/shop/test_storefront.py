from __future__ import annotations

import pytest

import hubbub
from hubbub import FlatTax, Invalid, Settings
from hubbub.shop.catalog.priced_shop import PricedShop
from hubbub.shop.service import Shop
from tests.shop.bank import Bank
from tests.shop.catalog.test_price_lookup import Source


async def test_prices_come_from_the_catalogue_unless_told() -> None:
    async with hubbub.open("memory://") as hub:
        plain = hub.storefront.kind
    async with hubbub.open("memory://", prices=Source()) as hub:
        priced = hub.storefront.kind

    assert (plain, priced) == (Shop, PricedShop)


async def test_a_shop_has_the_terms_it_was_given() -> None:
    tax, settings = FlatTax("0.2"), Settings(currency="JPY", cart_lines_max=7)
    async with (
        hubbub.open("memory://", tax=tax, payments=Bank(), settings=settings) as hub,
        hub.session("ann") as ann,
    ):
        cart, terms = await ann.shop.cart(), hub.storefront.terms

    assert (terms.tax, terms.lines_max) == (tax, 7)
    assert str(cart.total) == "0 JPY"


async def test_a_hub_has_a_currency_that_there_is() -> None:
    with pytest.raises(Invalid, match="ISO 4217"):
        async with hubbub.open("memory://", settings=Settings(currency="gold")):
            pass
