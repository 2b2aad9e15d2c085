from __future__ import annotations

from functools import partial

import anyio
import pytest

import hubbub
from hubbub import Conflict, Invalid, NotAllowed, NotFound, Settings, TaxTable
from tests.session.selling import CARD, fill, stocked, usd
from tests.session.worlds import OpenWorld


async def test_the_example_comes_to_what_it_must(world: OpenWorld) -> None:
    async with world() as here:
        await stocked(here)
        ann = await here.session("Ann")
        await fill(ann)
        cart = await ann.shop.cart()

    assert (str(cart.subtotal), str(cart.tax), str(cart.total)) == (
        "1139.96 USD",
        "114.00 USD",
        "1253.96 USD",
    )


async def test_items_that_are_added_at_once_are_all_counted(world: OpenWorld) -> None:
    async with world() as here:
        await stocked(here)
        ann = await here.session("Ann")
        async with anyio.create_task_group() as tasks:
            for _ in range(20):
                tasks.start_soon(ann.shop.add_item, "mouse")
        cart = await ann.shop.cart()

    assert [line.quantity for line in cart.lines] == [20]


async def test_a_key_adds_once(world: OpenWorld) -> None:
    async with world() as here:
        await stocked(here)
        ann = await here.session("Ann")
        for _ in range(2):
            await ann.shop.add_item("mouse", key="once")
            cart = await ann.shop.remove_item("mouse", 1, key="again")

    assert cart.lines == []


async def test_a_cart_is_changed(world: OpenWorld) -> None:
    async with world() as here:
        await stocked(here)
        ann = await here.session("Ann")
        await fill(ann)
        await ann.shop.set_quantity("mouse", 5)
        await ann.shop.remove_item("laptop")
        cart = await ann.shop.remove_item("mouse", 1)
        empty = await ann.shop.clear()

    assert {line.sku: line.quantity for line in cart.lines} == {"mouse": 4, "keyboard": 1}
    assert (empty.lines, str(empty.total)) == ([], "0.00 USD")


async def test_a_price_that_has_changed_is_accepted_before_checkout(world: OpenWorld) -> None:
    async with world() as here:
        admin = await stocked(here)
        ann = await here.session("Ann")
        await ann.shop.add_item("mouse")
        await admin.shop.set_product("mouse", "Mouse", usd("24.99"), stock=5)
        shown = await ann.shop.cart()
        with pytest.raises(Conflict, match=r"now costs 24\.99 USD"):
            await ann.shop.checkout(payment=CARD, key="1")
        accepted = await ann.shop.accept_prices()
        order = await ann.shop.checkout(payment=CARD, key="1")

    assert [line.new_price for line in shown.lines] == [usd("24.99")]
    assert [(line.price, line.new_price) for line in accepted.lines] == [(usd("24.99"), None)]
    assert order.subtotal == usd("24.99")


async def test_a_coupon_is_taken_out_again(world: OpenWorld) -> None:
    async with world() as here:
        admin = await stocked(here)
        await admin.shop.set_coupon("five", amount=usd("5"))
        ann = await here.session("Ann")
        await ann.shop.add_item("mouse")
        with_it = await ann.shop.apply_coupon("FIVE")
        without = await ann.shop.remove_coupon()

    assert (with_it.discount, without.discount) == (usd("5"), usd("0"))


async def test_a_country_has_its_own_taxes(world: OpenWorld) -> None:
    tax = TaxTable({("DE", None): "0.19"}, included=True)
    async with world(tax=tax) as here:
        await stocked(here)
        ann = await here.session("Ann")
        await ann.shop.add_item("laptop")
        nowhere = await ann.shop.cart()
        cart = await ann.shop.set_country("de")

    assert (nowhere.tax, nowhere.total) == (usd("0"), usd("999.99"))
    assert (cart.tax, cart.total, cart.tax_included) == (usd("159.66"), usd("999.99"), True)


async def test_a_cart_is_followed_by_its_owner_alone(world: OpenWorld) -> None:
    async with world() as here:
        await stocked(here)
        ann, bob = await here.sessions("Ann", "Bob")
        cart = await ann.shop.add_item("mouse")
        events = await ann.read(cart.stream)

        with pytest.raises(NotAllowed):
            await bob.read(cart.stream)
        with pytest.raises(NotAllowed):
            async with bob.follow(cart.stream):
                pass
        assert len(events) == 1


async def test_limits_are_settings(world: OpenWorld) -> None:
    settings = Settings(cart_lines_max=2, cart_quantity_max=3)
    async with world(settings) as here:
        await stocked(here)
        ann = await here.session("Ann")
        await ann.shop.add_item("mouse", 3)
        await ann.shop.add_item("laptop")

        with pytest.raises(Conflict):
            await ann.shop.add_item("monitor")
        with pytest.raises(Conflict):
            await ann.shop.add_item("mouse")
        with pytest.raises(Invalid):
            await ann.shop.set_quantity("mouse", 4)


async def test_a_cart_that_lay_too_long_is_empty(world: OpenWorld) -> None:
    async with world(Settings(cart_days=1)) as here:
        await stocked(here)
        ann = await here.session("Ann")
        await ann.shop.add_item("mouse")
        here.clock.passed = 24 * 3600.0
        cart = await ann.shop.cart()

    assert cart.lines == []


async def test_what_is_not_sold_is_not_found(world: OpenWorld) -> None:
    async with world() as here:
        ann = await here.session("Ann")
        for wrong in (partial(ann.shop.add_item, "boat"), partial(ann.shop.remove_item, "boat")):
            with pytest.raises(NotFound):
                await wrong()

        with pytest.raises(NotFound):
            await ann.shop.apply_coupon("boat")


async def test_a_guests_cart_comes_along(world: OpenWorld) -> None:
    async with world() as here:
        await stocked(here)
        guest = await here.session("Guest")
        await fill(guest)
        async with here.visit("Ann", guest=guest) as ann:
            cart = await ann.shop.cart()
        left = await guest.shop.cart()

    assert (len(cart.lines), len(left.lines)) == (3, 0)


async def test_a_guests_coupon_and_country_come_along_and_a_used_coupon_is_used_up(
    world: OpenWorld,
) -> None:
    async with world() as here:
        root = await stocked(here)
        for code in ("SPRING", "SUMMER"):
            await root.shop.set_coupon(code, percent=10)
        guest = await here.session("Guest")
        await fill(guest)
        await guest.shop.apply_coupon("spring")
        await guest.shop.checkout(payment="pm_card_visa", key="a")
        await fill(guest)
        await guest.shop.apply_coupon("summer")
        await guest.shop.set_country("DE")
        async with here.visit("Ann", guest=guest) as ann:
            cart = await ann.shop.cart()
            with pytest.raises(Conflict, match="already used"):
                await ann.shop.apply_coupon("spring")

    assert (cart.coupon, cart.coupon_problem, cart.country) == ("SUMMER", None, "DE")


async def test_who_was_nobody_before_brings_nothing(world: OpenWorld) -> None:
    async with world() as here:
        await stocked(here)
        guest = await here.session("Guest")
        async with here.visit("Ann", guest=guest) as ann:
            cart = await ann.shop.cart()

    assert cart.lines == []


async def test_a_guest_shows_a_good_token(world: OpenWorld) -> None:
    async with world() as here:
        if here.address is None:
            with pytest.raises(Invalid):
                await here.hub.session("ann", guest="a/b").__aenter__()
            return

        with pytest.raises(NotAllowed):
            async with hubbub.connect(here.address, nickname="Ann", guest="nonsense"):
                pass
