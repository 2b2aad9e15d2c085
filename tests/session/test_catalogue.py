from __future__ import annotations

import pytest

from hubbub import Invalid, NotAllowed, NotFound
from hubbub.shop.events import StockReserved
from tests.session.selling import CARD, PRICES, stocked, usd
from tests.session.worlds import OpenWorld


async def test_products_are_listed_by_their_skus(world: OpenWorld) -> None:
    async with world() as here:
        await stocked(here)
        ann = await here.session("Ann")
        products = await ann.shop.products()

    assert [product.sku for product in products] == sorted(PRICES)
    assert [str(product.price.decimal) for product in products] == [
        PRICES[sku] for sku in sorted(PRICES)
    ]


async def test_products_come_in_pages(world: OpenWorld) -> None:
    async with world() as here:
        await stocked(here)
        ann = await here.session("Ann")
        first = await ann.shop.products(limit=3)
        second = await ann.shop.products(after=first[-1].sku, limit=3)

    assert [product.sku for product in first + second] == sorted(PRICES)


async def test_a_product_is_looked_up(world: OpenWorld) -> None:
    async with world() as here:
        await stocked(here)
        ann = await here.session("Ann")
        mouse = await ann.shop.product("mouse")

    assert (mouse.name, mouse.price, mouse.stock) == ("Mouse", usd("29.99"), 10)


async def test_a_product_that_is_not_there_is_not_found(world: OpenWorld) -> None:
    async with world() as here:
        ann = await here.session("Ann")

        with pytest.raises(NotFound):
            await ann.shop.product("boat")


async def test_a_product_is_changed(world: OpenWorld) -> None:
    async with world() as here:
        admin = await stocked(here)
        changed = await admin.shop.set_product("mouse", "Maus", usd("5"), category="office")
        ann = await here.session("Ann")

        assert await ann.shop.product("mouse") == changed
        assert (changed.name, changed.stock, changed.category) == ("Maus", None, "office")


@pytest.mark.parametrize("role", ["user", "moderator"])
async def test_only_an_admin_sets_products_and_coupons(world: OpenWorld, role: str) -> None:
    async with world() as here:
        ann = await here.session("Ann", role=role)

        with pytest.raises(NotAllowed):
            await ann.shop.set_product("mouse", "Mouse", usd("5"))
        with pytest.raises(NotAllowed):
            await ann.shop.set_coupon("spring", percent=10)


async def test_a_product_outside_its_limits_is_refused(world: OpenWorld) -> None:
    async with world() as here:
        admin = await here.session("Root", role="admin")

        with pytest.raises(Invalid):
            await admin.shop.set_product("a b", "Mouse", usd("5"))
        with pytest.raises(Invalid):
            await admin.shop.set_product("mouse", "", usd("5"))
        assert await admin.shop.products() == []


async def test_stock_is_followed_live(world: OpenWorld) -> None:
    async with world() as here:
        await stocked(here)
        ann, bob = await here.sessions("Ann", "Bob")
        async with bob.follow("product/mouse") as events:
            await ann.shop.add_item("mouse", 3)
            order = await ann.shop.checkout(payment=CARD, key="1")
            event = await anext(events)

    assert event.data == StockReserved(order.id, 3)


async def test_a_coupon_is_made(world: OpenWorld) -> None:
    async with world() as here:
        admin = await stocked(here)
        coupon = await admin.shop.set_coupon("Spring", percent=10, minimum=usd("20"))
        ann = await here.session("Ann")
        await ann.shop.add_item("mouse")
        cart = await ann.shop.apply_coupon("spring")

    assert (coupon.code, coupon.percent, coupon.minimum) == ("SPRING", 10, usd("20"))
    assert (cart.coupon, cart.discount, cart.total) == ("SPRING", usd("3"), usd("29.69"))
