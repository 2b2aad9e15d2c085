from __future__ import annotations

from contextlib import suppress

import pytest

from hubbub import (
    KEEP,
    Conflict,
    Invalid,
    KeyReused,
    NotAllowed,
    NotFound,
    PaymentDeclined,
    Session,
)
from hubbub.journal.command import Command
from hubbub.journal.decide.states import States
from hubbub.journal.event import Draft
from hubbub.shop.events import StockReleased, StockReserved
from tests.session.selling import CARD, DECLINED, PRICES, stocked, usd
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
        assert (changed.name, changed.stock, changed.category) == ("Maus", 10, "office")


async def test_an_edit_keeps_what_is_left_out(world: OpenWorld) -> None:
    async with world() as here:
        admin = await stocked(here)
        ann = await here.session("Ann")
        await admin.shop.set_product("mouse", "Mouse", usd("5"), category="office")
        await ann.shop.add_item("mouse", 3)
        await ann.shop.checkout(payment=CARD, key="1")
        left_out = await admin.shop.set_product("mouse", "Mouse", usd("5"))
        kept = await admin.shop.set_product("mouse", "Mouse", usd("5"), stock=KEEP, category=KEEP)
        none = await admin.shop.set_product("mouse", "Mouse", usd("5"), stock=None, category=None)

    assert (left_out.stock, left_out.category) == (7, "office")
    assert kept == left_out
    assert (none.stock, none.category) == (None, None)


async def test_a_key_adjusts_a_stock_once(world: OpenWorld) -> None:
    async with world() as here:
        admin = await stocked(here)
        first = await admin.shop.adjust_stock("mouse", 5, key="delivery 1")
        again = await admin.shop.adjust_stock("mouse", 5, key="delivery 1")
        with pytest.raises(KeyReused):
            await admin.shop.adjust_stock("mouse", 6, key="delivery 1")
        fewer = await admin.shop.adjust_stock("mouse", -15, key="stocktaking")
        with pytest.raises(Conflict):
            await admin.shop.adjust_stock("mouse", -1, key="more")

    assert [product.stock for product in (first, again, fewer)] == [15, 15, 0]


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
            await ann.shop.checkout(payment=CARD, key="1")
            event = await anext(events)

    assert (event.by, event.data) == ("/hub", StockReserved("", 3))


async def test_a_stranger_does_not_learn_who_buys(world: OpenWorld) -> None:
    async with world() as here:
        admin = await stocked(here)
        await admin.shop.set_coupon("spring", percent=10)
        ann, eve = await here.sessions("Ann", "Eve")
        streams, told = ["catalogue/products", "product/mouse", "product/laptop"], list[object]()
        async with eve.follow("product/mouse") as live:
            orders = await buy_in_every_way(ann, admin)
            for stream in streams:
                told += await eve.read(stream)
                async with eve.follow(stream, after=0) as events:
                    told.append(await anext(events))
            told += [await anext(live) for _ in range(4)]

    assert orders
    for secret in (ann.user.id, *orders):
        assert secret not in str(told)


async def buy_in_every_way(ann: Session, admin: Session) -> list[str]:
    """Buy, be declined, and get the money back; returns the orders' ids."""
    for key, card in (("1", CARD), ("2", DECLINED), ("3", CARD)):
        await ann.shop.add_item("mouse")
        await ann.shop.apply_coupon("spring")
        with suppress(PaymentDeclined):
            await admin.shop.refund((await ann.shop.checkout(payment=card, key=key)).id, key=key)
    return [order.id for order in await ann.shop.orders()]


async def test_old_events_do_not_tell_who_has_bought(world: OpenWorld) -> None:
    def decide(states: States) -> list[Draft]:
        # As they were written up to version 0.1.
        data = [StockReserved("order-1", 1), StockReleased("order-1", 1)]
        return [Draft("product/mouse", one) for one in data]

    async with world() as here:
        await stocked(here)
        await here.hub.journal.execute(Command("ann", decide, lambda states, events: None))
        eve = await here.session("Eve")
        read = await eve.read("product/mouse", after=1)
        async with eve.follow("product/mouse", after=1) as events:
            followed = [await anext(events) for _ in range(2)]

    assert [event.by for event in read] == ["/hub", "/hub"]
    assert [event.data for event in read] == [StockReserved("", 1), StockReleased("", 1)]
    assert followed == read


async def test_a_coupon_is_made(world: OpenWorld) -> None:
    async with world() as here:
        admin = await stocked(here)
        coupon = await admin.shop.set_coupon("Spring", percent=10, minimum=usd("20"))
        ann = await here.session("Ann")
        await ann.shop.add_item("mouse")
        cart = await ann.shop.apply_coupon("spring")

    assert (coupon.code, coupon.percent, coupon.minimum) == ("SPRING", 10, usd("20"))
    assert (cart.coupon, cart.discount, cart.total) == ("SPRING", usd("3"), usd("29.69"))
