from __future__ import annotations

import hubbub
from hubbub.shop.catalog import demo
from hubbub.shop.catalog.demo import COUPON, PRODUCTS, put_on_sale


async def test_the_sample_comes_to_what_it_must() -> None:
    async with hubbub.open("memory://") as hub:
        async with hub.session("root", role="admin") as root:
            await put_on_sale(root.shop)
        async with hub.session("ann") as ann:
            for sku, quantity in (("laptop", 1), ("mouse", 2), ("keyboard", 1)):
                await ann.shop.add_item(sku, quantity)
            cart = await ann.shop.cart()
            with_coupon = await ann.shop.apply_coupon(COUPON)

    assert str(cart.total) == "1253.96 USD"
    assert with_coupon.total < cart.total


async def test_what_is_there_is_left_as_it_is() -> None:
    async with hubbub.open("memory://") as hub, hub.session("root", role="admin") as root:
        await put_on_sale(root.shop)
        await root.shop.add_item("mouse", 3)
        await root.shop.checkout(payment="pm_card_visa", key="1")
        await put_on_sale(root.shop)
        products = await root.shop.products()

    assert {one.sku for one in products} == PRODUCTS.keys()
    assert {one.stock for one in products} == {demo.STOCK, demo.STOCK - 3}
